"""Papers handed in: owns which bytes are accepted, why others are not, and how an accepted one may be sent out.

A document is stored by its content hash and never executed, rendered or unpacked by us; it leaves only as a download
with the headers named here. The type is told by the bytes; a name or a type that came along is not believed.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from control.permits import rules as keys
from control.permits.pdf_check import PdfFault, pdf_fault
from control.permits.picture_check import PictureFault, Size, jpeg_size, png_size, webp_size
from control.permits.rules import PermitRules


class MediaType(StrEnum):
    """What is accepted."""

    JPEG = "image/jpeg"
    PNG = "image/png"
    WEBP = "image/webp"
    PDF = "application/pdf"


EXTENSION = {MediaType.JPEG: "jpg", MediaType.PNG: "png", MediaType.WEBP: "webp", MediaType.PDF: "pdf"}


class DocumentProblem(StrEnum):
    """Why a document is not accepted."""

    EMPTY = "empty"
    TOO_LARGE = "too_large"
    TYPE_NOT_ACCEPTED = "type_not_accepted"
    DAMAGED = "damaged"
    TWO_TYPES_IN_ONE = "two_types_in_one"
    TOO_MANY_PIXELS = "too_many_pixels"
    TOO_SMALL_TO_READ = "too_small_to_read"
    PDF_ENCRYPTED = "pdf_encrypted"
    PDF_ACTIVE = "pdf_active"
    PDF_CARRIES_FILES = "pdf_carries_files"
    PDF_UNREADABLE = "pdf_unreadable"
    PDF_UNPACKS_TOO_LARGE = "pdf_unpacks_too_large"


@dataclass(frozen=True, slots=True)
class DocumentLimits:
    """Sizes from the dated rules: bytes, pixels in all, pixels of the shorter side, bytes of unpacked PDF objects."""

    bytes_max: int
    pixels_max: int
    side_least: int
    unpacked_bytes_max: int

    @classmethod
    def of(cls, rules: PermitRules) -> DocumentLimits:
        """The limits of a day."""
        return cls(
            bytes_max=rules.count(keys.DOCUMENT_BYTES_MAX),
            pixels_max=rules.count(keys.PICTURE_PIXELS_MAX),
            side_least=rules.count(keys.PICTURE_SIDE_LEAST),
            unpacked_bytes_max=rules.count(keys.UNPACKED_BYTES_MAX),
        )


@dataclass(frozen=True, slots=True)
class AcceptedDocument:
    """What is stored. `sha256` in hexadecimal is its name; width and height in pixels are None for a PDF."""

    sha256: str
    media_type: MediaType
    size_bytes: int
    width_px: int | None = None
    height_px: int | None = None


@dataclass(frozen=True, slots=True)
class RejectedDocument:
    """Why it is not; `detail` is the limit or the thing that was found."""

    problem: DocumentProblem
    detail: str = ""


def inspect(content: bytes, limits: DocumentLimits) -> AcceptedDocument | RejectedDocument:
    """Whether the bytes of one document are accepted. Never raises, whatever the bytes are.

    Pictures: signature, structure from segment to segment or chunk to chunk, size from the header, and no second type
    hidden in front. PDF: see `pdf_check.pdf_fault`. What a picture's pixels show is not looked at.
    """
    if not content:
        return RejectedDocument(DocumentProblem.EMPTY)
    if len(content) > limits.bytes_max:
        return RejectedDocument(DocumentProblem.TOO_LARGE, str(limits.bytes_max))
    media_type = type_of(content)
    if media_type is None:
        return RejectedDocument(DocumentProblem.TYPE_NOT_ACCEPTED)
    if media_type is MediaType.PDF:
        return _pdf(content, limits)
    return _picture(content, media_type, limits)


def type_of(content: bytes) -> MediaType | None:
    """The type that the first bytes claim, None for any that is not accepted."""
    if content.startswith(b"\xff\xd8\xff"):
        return MediaType.JPEG
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return MediaType.PNG
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return MediaType.WEBP
    return MediaType.PDF if content.startswith(b"%PDF-") else None


_SIZE_OF = {MediaType.JPEG: jpeg_size, MediaType.PNG: png_size, MediaType.WEBP: webp_size}
# Readers look for a PDF's header anywhere in the first kilobyte (ISO 32000-1 annex H.3.4.1).
_PDF_HEADER_WITHIN = 1024 + len(b"%PDF-")


def _picture(content: bytes, media_type: MediaType, limits: DocumentLimits) -> AcceptedDocument | RejectedDocument:
    if b"%PDF-" in content[:_PDF_HEADER_WITHIN]:
        return RejectedDocument(DocumentProblem.TWO_TYPES_IN_ONE, MediaType.PDF)
    size = _SIZE_OF[media_type](content)
    match size:
        case PictureFault():
            return RejectedDocument(DocumentProblem.DAMAGED, size.value)
        case Size(width_px, height_px):
            if width_px * height_px > limits.pixels_max:
                return RejectedDocument(DocumentProblem.TOO_MANY_PIXELS, str(limits.pixels_max))
            if min(width_px, height_px) < limits.side_least:
                return RejectedDocument(DocumentProblem.TOO_SMALL_TO_READ, str(limits.side_least))
            return AcceptedDocument(_hash(content), media_type, len(content), width_px, height_px)


def _pdf(content: bytes, limits: DocumentLimits) -> AcceptedDocument | RejectedDocument:
    fault = pdf_fault(content, unpacked_bytes_max=limits.unpacked_bytes_max)
    if fault is None:
        return AcceptedDocument(_hash(content), MediaType.PDF, len(content))
    return RejectedDocument(_PDF_PROBLEMS[fault.kind], fault.detail)


_PDF_PROBLEMS = {
    PdfFault.DAMAGED: DocumentProblem.DAMAGED,
    PdfFault.ENCRYPTED: DocumentProblem.PDF_ENCRYPTED,
    PdfFault.ACTIVE: DocumentProblem.PDF_ACTIVE,
    PdfFault.CARRIES_FILES: DocumentProblem.PDF_CARRIES_FILES,
    PdfFault.UNREADABLE: DocumentProblem.PDF_UNREADABLE,
    PdfFault.UNPACKS_TOO_LARGE: DocumentProblem.PDF_UNPACKS_TOO_LARGE,
}


def _hash(content: bytes) -> str:
    return sha256(content).hexdigest()


def response_headers(document: AcceptedDocument) -> dict[str, str]:
    """Headers with which a document is sent: as a download of its own type, sandboxed, and kept by no cache."""
    name = f"{document.sha256[:16]}.{EXTENSION[document.media_type]}"
    return {
        "Content-Type": document.media_type.value,
        "Content-Disposition": f'attachment; filename="{name}"',
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "private, no-store",
    }
