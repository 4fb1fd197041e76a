"""The dated rules a gateway starts with: owns reading them from a file before the cloud has sent any."""

from __future__ import annotations

import tomllib
from pathlib import Path

import control.gate
from control.domain.errors import ConfigurationError
from control.gate.rules import RuleSet, parse_rules

DELIVERED = Path(control.gate.__file__).with_name("rules.toml")


def delivered_rules() -> RuleSet:
    """The rows that came with the program."""
    return load_rules(DELIVERED)


def load_rules(path: Path) -> RuleSet:
    """The rows of one file; raises ConfigurationError that names the file."""
    try:
        return parse_rules(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read ({error.strerror}); check rules.file.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: is not TOML: {error}") from error
    except ConfigurationError as error:
        raise ConfigurationError(f"{path}: {error}") from error
