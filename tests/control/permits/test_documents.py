"""Papers: what is accepted by its bytes, what is refused by name, and that no bytes whatever raise."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.permits.documents import (
    AcceptedDocument,
    DocumentLimits,
    DocumentProblem,
    MediaType,
    RejectedDocument,
    inspect,
    response_headers,
)
from control.permits.rules import PermitRules

P = DocumentProblem
LIMITS = DocumentLimits(bytes_max=200_000, pixels_max=1_000_000, side_least=100, unpacked_bytes_max=50_000)
LIMITS_WIDE = replace(LIMITS, unpacked_bytes_max=1_000_000)


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int = 400, height: int = 300, *, after: bytes = b"", idat: bytes = b"x") -> bytes:
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    pixels = png_chunk(b"IDAT", idat) if idat else b""
    return b"\x89PNG\r\n\x1a\n" + header + pixels + png_chunk(b"IEND", b"") + after


def jpeg(width: int = 400, height: int = 300, *, comment: bytes = b"", end: bytes = b"\xff\xd9") -> bytes:
    note = b"\xff\xfe" + struct.pack(">H", len(comment) + 2) + comment
    frame = b"\xff\xff\xc0" + struct.pack(">HBHHB", 8, 8, height, width, 0)
    return b"\xff\xd8" + note + frame + b"\xff\xda" + struct.pack(">H", 2) + b"pixels" + end


def webp(*chunks: tuple[bytes, bytes]) -> bytes:
    body = b"".join(kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2) for kind, data in chunks)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def uint24(value: int) -> bytes:
    return value.to_bytes(3, "little")


LOSSY = (b"VP8 ", b"\0\0\0\x9d\x01\x2a" + struct.pack("<HH", 400, 300))
LOSSLESS = (b"VP8L", b"\x2f" + struct.pack("<I", 399 | 299 << 14))
CANVAS = (b"VP8X", b"\0\0\0\0" + uint24(799) + uint24(599))


def pdf(*objects: bytes, trailer: bytes = b"trailer << /Root 1 0 R >>") -> bytes:
    body = b"".join(b"%d 0 obj\n%b\nendobj\n" % (number, one) for number, one in enumerate(objects, 1))
    return b"%PDF-1.7\n" + body + trailer + b"\nstartxref\n9\n%%EOF\n"


def stream(data: bytes, entries: bytes = b"/Type /ObjStm /N 1 /First 4 /Filter /FlateDecode") -> bytes:
    return b"<< %b /Length %d >>\nstream\n%b\nendstream" % (entries, len(data), data)


CATALOG = b"<< /Type /Catalog /Pages 2 0 R >>"
QUIET = zlib.compress(b"7 0 << /Type /Pages >>")


@pytest.mark.parametrize(
    ("content", "media_type", "size"),
    [
        (png(), MediaType.PNG, (400, 300)),
        (jpeg(), MediaType.JPEG, (400, 300)),
        (jpeg(end=b"\xff\xd9 what a telephone adds"), MediaType.JPEG, (400, 300)),
        (webp(LOSSY), MediaType.WEBP, (400, 300)),
        (webp(LOSSLESS), MediaType.WEBP, (400, 300)),
        (webp(CANVAS, LOSSY), MediaType.WEBP, (800, 600)),
        (pdf(CATALOG), MediaType.PDF, (None, None)),
        (pdf(CATALOG, stream(QUIET)), MediaType.PDF, (None, None)),
        (pdf(CATALOG, stream(zlib.compress(b"BT /JS 12 Tf ET"), b"/Filter /FlateDecode")), MediaType.PDF, (None, None)),
    ],
)
def test_accepted(content: bytes, media_type: MediaType, size: tuple[int | None, int | None]) -> None:
    found = inspect(content, LIMITS)
    assert isinstance(found, AcceptedDocument), found
    assert (found.media_type, (found.width_px, found.height_px)) == (media_type, size)
    assert found.size_bytes == len(content)
    assert len(found.sha256) == 64


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", P.EMPTY),
        (png(idat=b"x" * 200_000), P.TOO_LARGE),
        (b"GIF89a", P.TYPE_NOT_ACCEPTED),
        (b"<html><script>", P.TYPE_NOT_ACCEPTED),
        (b"MZ\x90\0", P.TYPE_NOT_ACCEPTED),
        (png(2000, 501), P.TOO_MANY_PIXELS),
        (png(2**31 - 1, 2**31 - 1), P.TOO_MANY_PIXELS),
        (jpeg(65_535, 65_535), P.TOO_MANY_PIXELS),
        (webp(CANVAS, (b"VP8L", b"\x2f\xff\xff\xff\xff")), P.TOO_MANY_PIXELS),
        (png(99, 300), P.TOO_SMALL_TO_READ),
        (png(0, 300), P.DAMAGED),
        (png()[:-1], P.DAMAGED),
        (png(idat=b""), P.DAMAGED),
        (png(after=b"PK\x03\x04"), P.DAMAGED),
        (png().replace(b"IDATx", b"IDATy"), P.DAMAGED),
        (jpeg(end=b""), P.DAMAGED),
        (jpeg()[:20], P.DAMAGED),
        (webp(CANVAS), P.DAMAGED),
        (webp(LOSSY)[:-3], P.DAMAGED),
        (webp(LOSSY) + b"x", P.DAMAGED),
        (webp((b"VP8 ", b"")), P.DAMAGED),
        (jpeg(comment=b"%PDF-1.7"), P.TWO_TYPES_IN_ONE),
        (b"%PDF-1.7 and no end", P.DAMAGED),
        (b" " + pdf(CATALOG), P.TYPE_NOT_ACCEPTED),
        (pdf(b"<< /S /JavaScript /JS (app.alert(1)) >>"), P.PDF_ACTIVE),
        (pdf(b"<< /S /Java#53cript /J#53 (app.alert(1)) >>"), P.PDF_ACTIVE),
        (pdf(b"<< /S/#4aavaScript>>"), P.PDF_ACTIVE),
        (pdf(b"<< /JS 4 0 R >>"), P.PDF_ACTIVE),
        (pdf(b"<< /S /Launch /F (cmd.exe) >>"), P.PDF_ACTIVE),
        (pdf(b"<< /AcroForm << /XFA 5 0 R >> >>"), P.PDF_ACTIVE),
        (pdf(b"<< /Names << /EmbeddedFiles 3 0 R >> >>"), P.PDF_CARRIES_FILES),
        (pdf(b"<< /Type /Filespec /EF << /F 4 0 R >> >>"), P.PDF_CARRIES_FILES),
        (pdf(CATALOG, trailer=b"trailer << /Encrypt 3 0 R >>"), P.PDF_ENCRYPTED),
        (pdf(stream(zlib.compress(b"7 0 << /S /JavaScript /JS (x) >>"))), P.PDF_ACTIVE),
        # The type of an object stream may be missing, its checksum wrong: readers do not mind.
        (pdf(stream(zlib.compress(b"7 0 << /S /Launch >>")[:-4] + b"....", b"/N 1")), P.PDF_ACTIVE),
        (pdf(stream(zlib.compress(b" % x\n7 0 << /J#53 3 0 R >>"), b"/Type /Obj#53tm")), P.PDF_ACTIVE),
        (pdf(stream(b"not deflated")), P.PDF_UNREADABLE),
        (pdf(stream(b"3720>", b"/Type /ObjStm /Filter /ASCIIHexDecode")), P.PDF_UNREADABLE),
        (pdf(stream(zlib.compress(b"7 0 " + b" " * 60_000))), P.PDF_UNPACKS_TOO_LARGE),
    ],
)
def test_refused(content: bytes, problem: DocumentProblem) -> None:
    found = inspect(content, LIMITS)
    assert isinstance(found, RejectedDocument), found
    assert found.problem is problem


def test_an_object_stream_that_breaks_off_is_not_believed() -> None:
    """A reader may use what it got before the damage, so that nothing can be said of it."""
    objects = b"7 0 " + b"".join(b"%d " % (number * 7919) for number in range(9_000))
    packed = zlib.compress(objects)
    assert isinstance(inspect(pdf(stream(packed, b"/N 1")), LIMITS_WIDE), AcceptedDocument)
    damaged = packed[:9_000] + b"\xff" * 2_000
    assert inspect(pdf(stream(damaged, b"/N 1")), LIMITS_WIDE) == RejectedDocument(P.PDF_UNREADABLE, "object stream")


def test_a_bomb_is_not_unpacked() -> None:
    """A thousandfold: 10 kB that would unpack to 10 MB stop at the limit."""
    bomb = pdf(stream(zlib.compress(b"7 0 " + b" " * 10_000_000)))
    assert inspect(bomb, LIMITS) == RejectedDocument(P.PDF_UNPACKS_TOO_LARGE, "50000")


def test_many_streams_without_an_end_are_read_once() -> None:
    """A reader that looked for the end of each anew would need hours for this."""
    many = b"%PDF-1.7\n" + b"stream\n" * 3_000 + b"trailer startxref %%EOF"
    assert isinstance(inspect(many, LIMITS), AcceptedDocument)
    more = b"%PDF-1.7\n" + b"stream\n" * 10_001 + b"trailer startxref %%EOF"
    assert inspect(more, LIMITS) == RejectedDocument(P.PDF_UNREADABLE, "too many streams")


def test_the_limits_are_the_dated_ones(rules: PermitRules) -> None:
    limits = DocumentLimits.of(rules)
    assert limits.bytes_max == 10_000_000
    assert isinstance(inspect(png(), limits), AcceptedDocument)
    assert isinstance(inspect(png(), replace(limits, bytes_max=10)), RejectedDocument)


@pytest.mark.parametrize("content", [png(), jpeg(), webp(LOSSY), pdf(CATALOG)])
def test_a_document_leaves_as_a_download_only(content: bytes) -> None:
    found = inspect(content, LIMITS)
    assert isinstance(found, AcceptedDocument)
    headers = response_headers(found)
    assert headers["Content-Type"] == found.media_type
    assert headers["Content-Disposition"].startswith("attachment;")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in headers["Content-Security-Policy"]


GOOD = [png(), jpeg(), webp(LOSSY), webp(CANVAS, LOSSLESS), pdf(CATALOG, stream(QUIET))]
HEADS = [one[:12] for one in GOOD]


@given(
    st.one_of(st.binary(max_size=300), st.builds(lambda head, rest: head + rest, st.sampled_from(HEADS), st.binary()))
)
def test_no_bytes_raise(content: bytes) -> None:
    assert isinstance(inspect(content, LIMITS), AcceptedDocument | RejectedDocument)


@given(
    good=st.sampled_from(GOOD),
    at=st.integers(0, 10_000),
    cut=st.integers(0, 40),
    put=st.one_of(st.binary(max_size=8), st.sampled_from([b"stream\n", b"endstream", b"/ObjStm", b"\xff\xda", b"#4a"])),
)
def test_no_damage_raises(good: bytes, at: int, cut: int, put: bytes) -> None:
    at %= len(good)
    damaged = good[:at] + put + good[at + cut :]
    assert isinstance(inspect(damaged, LIMITS), AcceptedDocument | RejectedDocument)


HIDING: list[Callable[[bytes], bytes]] = [
    lambda name: name,
    lambda name: b"".join(b"#%02x" % byte for byte in name),
    lambda name: b"".join(b"#%02X" % byte if at % 2 else bytes((byte,)) for at, byte in enumerate(name)),
]


@given(
    name=st.sampled_from([b"JavaScript", b"Launch", b"EmbeddedFiles", b"RichMedia", b"Encrypt"]),
    hide=st.sampled_from(HIDING),
    packed=st.booleans(),
    before=st.binary(max_size=40),
)
def test_a_name_is_found_wherever_it_hides(
    name: bytes, hide: Callable[[bytes], bytes], packed: bool, before: bytes
) -> None:
    spelled = b"<< /S /" + hide(name) + b" >>"
    hidden = stream(zlib.compress(b"7 0 " + before + b" " + spelled)) if packed else before + b" " + spelled
    assert isinstance(inspect(pdf(CATALOG, hidden), LIMITS), RejectedDocument)
