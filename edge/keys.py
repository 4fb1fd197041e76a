"""The cloud's key on a gateway: owns reading it from the file that a setting names."""

from __future__ import annotations

from pathlib import Path

from cloud_sync.contract.v1 import PublicKey
from control.domain.errors import ConfigurationError, ContractError


def public_key(path: Path, name: str) -> PublicKey:
    """The key in a file that the setting `name` points to; raises ConfigurationError."""
    try:
        return PublicKey.from_text(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ContractError) as error:
        raise ConfigurationError(f"{path}: {name} cannot be used: {error}") from error
