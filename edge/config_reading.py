"""From TOML to a tree of frozen dataclasses: owns types, unknown keys and where secrets come from."""

from __future__ import annotations

import tomllib
import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from control.domain.errors import ConfigurationError

MASK = "••••••"
T = typing.TypeVar("T")


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """A text that shows itself only when asked."""

    _text: str
    source: str

    def reveal(self) -> str:
        """The text."""
        return self._text

    def __repr__(self) -> str:
        return f"{MASK} (from {self.source})"


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in which file we are, for error texts and relative paths."""

    file: Path
    key: str
    environment: Mapping[str, str]
    prefix: str

    def at(self, name: str) -> _Place:
        key = f"{self.key}.{name}" if self.key else name
        return _Place(self.file, key, self.environment, self.prefix)

    def error(self, text: str) -> ConfigurationError:
        return ConfigurationError(f"{self.file}: {self.key or 'file'} {text}")

    @property
    def variable(self) -> str:
        return f"{self.prefix}_{self.key}".upper().replace(".", "_")


def read_tree(file: Path, shape: type[T], environment: Mapping[str, str], *, prefix: str) -> T:
    """Read `file` into `shape`. Relative paths count from the file's folder."""
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{file}: cannot be read ({error.strerror}); name a file with --config.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file}: is not TOML: {error}") from error
    place = _Place(file.resolve(), "", environment, prefix)
    return typing.cast("T", _read_table(table, shape, place))


def keys_of(shape: type) -> tuple[str, ...]:
    """The TOML keys of one table; a secret's key ends in `_file`."""
    hints = typing.get_type_hints(shape)
    return tuple(f"{f.name}_file" if _bare(hints[f.name]) is Secret else f.name for f in fields(shape))


def _read_table(table: Any, shape: type, place: _Place) -> Any:
    if not isinstance(table, dict):
        raise place.error("must be a table.")
    known = keys_of(shape)
    for key in table:
        if key not in known:
            raise place.at(key).error(f"is not a setting; known here: {', '.join(known)}.")
    hints = typing.get_type_hints(shape)
    values: dict[str, Any] = {}
    for f in fields(shape):
        value = _read_field(table, f.name, hints[f.name], place)
        if value is not MISSING:
            values[f.name] = value
        elif f.default is MISSING and f.default_factory is MISSING:
            raise place.at(f.name).error("is missing.")
    return shape(**values)


def _read_field(table: dict[str, Any], name: str, hint: Any, place: _Place) -> Any:
    bare = _bare(hint)
    if bare is Secret:
        return _read_secret(table.get(f"{name}_file"), place.at(name))
    return _convert(table[name], bare, place.at(name)) if name in table else MISSING


def _read_secret(file_name: Any, place: _Place) -> Any:
    if place.variable in place.environment:
        return Secret(place.environment[place.variable].strip(), f"environment {place.variable}")
    if file_name is None:
        return MISSING
    path = _path(file_name, place)
    try:
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise place.error(f"cannot be read from {path}: {error}") from error
    if not text:
        raise place.error(f"is empty in {path}.")
    return Secret(text, str(path))


def _convert(value: Any, hint: Any, place: _Place) -> Any:
    if typing.get_origin(hint) is tuple:
        if not isinstance(value, list):
            raise place.error("must be a list.")
        item = typing.get_args(hint)[0]
        return tuple(_convert(v, item, place.at(str(i))) for i, v in enumerate(value))
    if is_dataclass(hint):
        return _read_table(value, typing.cast("type", hint), place)
    if hint is Path:
        return _path(value, place)
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return _choice(value, hint, place)
    return _scalar(value, hint, place)


def _scalar(value: Any, hint: Any, place: _Place) -> Any:
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) is not hint:
        raise place.error(f"must be {hint.__name__}, not {type(value).__name__}.")
    signed = place.key.endswith("_deg")  # west and south
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value < 0 and not signed:
        raise place.error("must not be negative.")
    return value


def _choice(value: Any, options: type[StrEnum], place: _Place) -> Any:
    if value not in [option.value for option in options]:
        raise place.error(f"must be one of {', '.join(option.value for option in options)}, not {value!r}.")
    return options(value)


def _path(value: Any, place: _Place) -> Path:
    if not isinstance(value, str) or not value:
        raise place.error("must be a path in quotes.")
    return (place.file.parent / value).resolve()


def _bare(hint: Any) -> Any:
    """`X | None` as X."""
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        return next(arg for arg in typing.get_args(hint) if arg is not type(None))
    return hint
