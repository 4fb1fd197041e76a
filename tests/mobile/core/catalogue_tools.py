"""The app's sentences: finds them in the sources, and compiles the .po files. Run it after changing either.

`python tests/mobile/core/catalogue_tools.py` writes the .mo files and says what is missing or left over.
"""

from __future__ import annotations

import ast
import re
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

MOBILE = Path(__file__).parents[3] / "mobile"
CATALOGUES = MOBILE / "locale" / "zh" / "LC_MESSAGES"
DOMAINS = ("app", "visitor", "driver")
_IN_KV = re.compile(r"""\bwords\(\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)')""")


def used_messages() -> dict[str, str]:
    """Each sentence with a place where it is said: `words("...")`, `words.n("...", "...", n)`, `N_("...")`."""
    found: dict[str, str] = {}
    for path in sorted(MOBILE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                found.update((message, f"{path.name}:{node.lineno}") for message in _said(node))
    for path in sorted(MOBILE.rglob("*.kv")):
        for match in _IN_KV.finditer(path.read_text(encoding="utf-8")):
            found[match[1] or match[2]] = path.name
    return found


def _said(call: ast.Call) -> Iterator[str]:
    names = _names(call.func)
    is_plural = names[-2:] in (["words", "n"], ["_words", "n"]) or (names == ["self", "n"])
    if names[-1:] in (["words"], ["_words"], ["N_"]) or (names == ["self"]) or is_plural:
        first = call.args[0] if call.args else None
        if isinstance(first, ast.Constant) and isinstance(first.value, str):
            yield first.value


def _names(node: ast.expr) -> list[str]:
    """`client.words.n` as its names."""
    if isinstance(node, ast.Name):
        return [node.id]
    return [*_names(node.value), node.attr] if isinstance(node, ast.Attribute) else []


def catalogue(domain: str) -> Catalog:
    """The Chinese sentences of one owner."""
    with (CATALOGUES / f"{domain}.po").open("rb") as source:
        return read_po(source, locale="zh", domain=domain)


HEADER = "Content-Type: text/plain; charset=UTF-8\nLanguage: zh\nPlural-Forms: nplurals=1; plural=0;\n"


def compiled(domain: str) -> bytes:
    """Its .mo file, the same for the same sentences: no dates, no names of tools.

    Source: GNU gettext manual, 10.3, "The Format of GNU MO Files".
    """
    pairs = {b"": HEADER.encode()}
    for one in catalogue(domain):
        if one.id:
            ids, strings = ([text] if isinstance(text, str) else text for text in (one.id, one.string))
            pairs["\0".join(ids).encode()] = "\0".join(strings).encode()
    texts = [key for key in sorted(pairs)] + [pairs[key] for key in sorted(pairs)]
    tables_end = 28 + 8 * len(texts)
    places, data = b"", b""
    for text in texts:
        places += struct.pack("<II", len(text), tables_end + len(data))
        data += text + b"\0"
    count = len(pairs)
    return struct.pack("<7I", 0x950412DE, 0, count, 28, 28 + 8 * count, 0, tables_end) + places + data


def message_ids(domain: str) -> list[str]:
    """Its sentences, in the order of the file."""
    return [one.id if isinstance(one.id, str) else one.id[0] for one in catalogue(domain) if one.id]


def main() -> int:
    """Compiles; 1 when a sentence is missing or left over."""
    for domain in DOMAINS:
        (CATALOGUES / f"{domain}.mo").write_bytes(compiled(domain))
    used, known = used_messages(), {one for domain in DOMAINS for one in message_ids(domain)}
    for message in sorted(used.keys() - known):
        print(f"missing: {message!r} ({used[message]})")
    for message in sorted(known - used.keys()):
        print(f"left over: {message!r}")
    return int(used.keys() != known)


if __name__ == "__main__":
    sys.exit(main())
