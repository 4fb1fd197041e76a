"""Writing TOML: owns turning a tree of configuration dataclasses back into text that `read_tree` takes."""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from typing import Any

from edge.config_reading import Secret


def toml_text(tree: Any) -> str:
    """Every key of a configuration; what is None is left out. A secret is written as the file that holds it."""
    return "\n".join(_table(tree, "")).strip() + "\n"


def _table(tree: Any, name: str) -> list[str]:
    """Plain keys first, then tables, as TOML wants it."""
    found = [(f.name, getattr(tree, f.name)) for f in fields(tree)]
    lines = [_line(key, value) for key, value in found if not _is_table(value) and value is not None]
    for key, value in found:
        inner = f"{name}.{key}" if name else key
        if is_dataclass(value) and not isinstance(value, Secret):
            lines += ["", f"[{inner}]", *_table(value, inner)]
        elif isinstance(value, tuple):
            for row in value:
                lines += ["", f"[[{inner}]]", *_table(row, inner)]
    return lines


def _is_table(value: Any) -> bool:
    return isinstance(value, tuple) or (is_dataclass(value) and not isinstance(value, Secret))


def _line(key: str, value: Any) -> str:
    if isinstance(value, Secret):
        return f"{key}_file = {json.dumps(value.source)}"
    return f"{key} = {json.dumps(value, ensure_ascii=False)}"
