"""Structure of a PDF: owns what is looked for in its bytes, also in compressed objects, and what is refused.

Checked: header at the first byte, `startxref` and `%%EOF` at the end, no encryption, none of the names below, in plain
bytes, written with #-escapes, or inside object streams, which are unpacked up to a limit. Object streams behind
filters that are not unpacked here are refused. Not checked: pictures, fonts, links, whether pages render. This keeps
out what is honest about being active; it is no proof against a reader's faults, so a PDF leaves us as a download only.
Source of the names: ISO 32000-1, clauses 7.5.7 (object streams), 7.6 (encryption), 7.11.4 (files), 12.6.4 (actions).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class PdfFault(StrEnum):
    """Kinds of refusal."""

    DAMAGED = "damaged"
    ENCRYPTED = "encrypted"
    ACTIVE = "active"
    CARRIES_FILES = "carries_files"
    UNREADABLE = "unreadable"
    UNPACKS_TOO_LARGE = "unpacks_too_large"


@dataclass(frozen=True, slots=True)
class FoundFault:
    """What was found; `detail` is the name or the part."""

    kind: PdfFault
    detail: str = ""


# Long enough never to stand in compressed bytes by chance.
_NAMES = {
    **dict.fromkeys((b"JavaScript", b"Launch", b"SubmitForm", b"ImportData", b"Rendition"), PdfFault.ACTIVE),
    **dict.fromkeys((b"RichMedia", b"RichMediaExecute", b"GoToE", b"Movie"), PdfFault.ACTIVE),
    **dict.fromkeys((b"EmbeddedFile", b"EmbeddedFiles", b"FileAttachment"), PdfFault.CARRIES_FILES),
    b"Encrypt": PdfFault.ENCRYPTED,
}
# Short ones are looked for outside compressed bytes only.
_SHORT_NAMES = {b"JS": PdfFault.ACTIVE, b"XFA": PdfFault.ACTIVE, b"EF": PdfFault.CARRIES_FILES}
_END_OF_NAME = rb"(?=[\x00\t\n\x0c\r ()<>\[\]{}/%]|$)"


def _pattern(names: dict[bytes, PdfFault]) -> re.Pattern[bytes]:
    return re.compile(rb"/(" + b"|".join(names) + rb")" + _END_OF_NAME)


_LONG, _SHORT = _pattern(_NAMES), _pattern(_SHORT_NAMES)
_ESCAPE = re.compile(rb"#([0-9A-Fa-f]{2})")
_HEADER = re.compile(rb"%PDF-[12]\.\d")
_STREAM = re.compile(rb"stream(?:\r\n|\n|\r)")
_COMPRESSED_OBJECTS = re.compile(rb"/(?:ObjStm|XRef|XRefStm)" + _END_OF_NAME)
_OBJECT_STREAM = re.compile(rb"/ObjStm" + _END_OF_NAME)
_NOT_UNPACKED = re.compile(
    rb"/(?:ASCIIHexDecode|ASCII85Decode|LZWDecode|RunLengthDecode|Crypt|AHx|A85|LZW|RL)" + _END_OF_NAME
)
# ISO 32000-1, 7.5.7: an object stream begins with pairs of object number and offset; comments may stand between.
_OBJECT_NUMBERS = re.compile(rb"(?:[\x00\t\n\x0c\r ]|%[^\r\n]*[\r\n])*\d+[\x00\t\n\x0c\r %]")
_END_WITHIN = 1024
_PEEK_BYTES = 4096
_STREAMS_MAX = 10_000
_CHUNK_BYTES = 65_536
_ZLIB_HEADER_BYTES = 2


def pdf_fault(content: bytes, *, unpacked_bytes_max: int) -> FoundFault | None:
    """The first reason not to accept a PDF, None when none is found. Never raises."""
    tail = content[-_END_WITHIN:]
    if not _HEADER.match(content) or b"%%EOF" not in tail or b"startxref" not in content:
        return FoundFault(PdfFault.DAMAGED, "header or end")
    outside = _unescaped(b" ".join(_outside_streams(content)))
    found = _named(content, _LONG, _NAMES) or _named(_unescaped(content), _LONG, _NAMES)
    found = found or _named(outside, _SHORT, _SHORT_NAMES)
    return found or _in_object_streams(content, outside, unpacked_bytes_max)


def _outside_streams(content: bytes) -> Iterator[bytes]:
    """What lies between the bytes of streams; a stream without an end reaches to no end and is kept."""
    at = 0
    while (found := _STREAM.search(content, at)) is not None:
        end = content.find(b"endstream", found.end())
        if end < 0:
            break
        yield content[at : found.start()]
        at = end + len(b"endstream")
    yield content[at:]


def _unescaped(content: bytes) -> bytes:
    """Names with their #-escapes resolved, ISO 32000-1, 7.3.5."""
    return _ESCAPE.sub(lambda found: bytes((int(found[1], 16),)), content)


def _named(content: bytes, pattern: re.Pattern[bytes], names: dict[bytes, PdfFault]) -> FoundFault | None:
    found = pattern.search(content)
    return None if found is None else FoundFault(names[found[1]], found[1].decode())


def _in_object_streams(content: bytes, outside: bytes, unpacked_bytes_max: int) -> FoundFault | None:
    """Objects that may lie compressed: unpacked and searched like the rest."""
    has_compressed = _COMPRESSED_OBJECTS.search(outside) is not None or b"trailer" not in content
    if has_compressed and _NOT_UNPACKED.search(outside):
        return FoundFault(PdfFault.UNREADABLE, "filter")
    read, room = 0, unpacked_bytes_max
    for count, start in enumerate(_streams(content)):
        if count >= _STREAMS_MAX:
            return FoundFault(PdfFault.UNREADABLE, "too many streams")
        body = _unpacked(content, start, room)
        if body is None:
            continue
        if isinstance(body, FoundFault):
            return body
        if len(body) > room:
            return FoundFault(PdfFault.UNPACKS_TOO_LARGE, str(unpacked_bytes_max))
        read, room = read + 1, room - len(body)
        text = _unescaped(body)
        found = _named(text, _LONG, _NAMES) or _named(text, _SHORT, _SHORT_NAMES)
        if found is not None:
            return found
    return FoundFault(PdfFault.UNREADABLE, "object stream") if len(_OBJECT_STREAM.findall(outside)) > read else None


def _streams(content: bytes) -> Iterator[int]:
    """Where the bytes of each stream begin."""
    for found in _STREAM.finditer(content):
        if content[max(0, found.start() - 3) : found.start()] != b"end":
            yield found.end()


def _unpacked(content: bytes, start: int, room: int) -> bytes | FoundFault | None:
    """An object stream's bytes, a little more than `room` at most; None for a stream of any other shape.

    The checksum behind the deflated bytes is not looked at, because readers do not mind a wrong one.
    """
    machine = zlib.decompressobj(-zlib.MAX_WBITS)
    window, at = memoryview(content), start + _ZLIB_HEADER_BYTES + _PEEK_BYTES
    try:
        body = machine.decompress(window[start + _ZLIB_HEADER_BYTES : at], _PEEK_BYTES)
    except zlib.error:
        return None
    if not _OBJECT_NUMBERS.match(body):
        return None
    parts, size = [body], len(body)
    while size <= room and not machine.eof and (machine.unconsumed_tail or at < len(content)):
        packed: bytes | memoryview = machine.unconsumed_tail
        if not packed:
            packed, at = window[at : at + _CHUNK_BYTES], at + _CHUNK_BYTES
        try:
            parts.append(machine.decompress(packed, _CHUNK_BYTES))
        except zlib.error:
            return FoundFault(PdfFault.UNREADABLE, "object stream")
        size += len(parts[-1])
    return b"".join(parts)
