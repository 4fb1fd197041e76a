"""One zstd frame around one msgpack array: owns the limits, and the reading of fields one by one.

The limits hold before memory is spent: a frame states its size, and a larger one is refused unread.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
import zstandard

from control.domain.errors import ContractError

ZSTD_LEVEL = 3
WIRE_BYTES_MAX = 8 * 1024 * 1024

_UNPACK_ERRORS = (msgspec.DecodeError, ValueError, TypeError, RecursionError, OverflowError)


def pack(fields: Sequence[object]) -> bytes:
    """One frame. Every frame states its raw size, so that a reader can refuse it in time."""
    return zstandard.ZstdCompressor(level=ZSTD_LEVEL, write_content_size=True).compress(msgspec.msgpack.encode(fields))


def unpack(payload: bytes, *, raw_bytes_max: int) -> Fields:
    """Fields of one frame. Raises ContractError on anything but an array within the limits."""
    raw = _decompress(payload, raw_bytes_max)
    try:
        value = msgspec.msgpack.decode(raw)
    except _UNPACK_ERRORS as error:
        raise ContractError("the frame does not hold msgpack") from error
    if not isinstance(value, list):
        raise ContractError("the frame does not hold an array")
    return Fields(value)


def _decompress(payload: bytes, raw_bytes_max: int) -> bytes:
    if len(payload) > WIRE_BYTES_MAX:
        raise ContractError(f"{len(payload)} bytes are more than a message may have")
    try:
        stated = zstandard.frame_content_size(payload)
        if not 0 <= stated <= raw_bytes_max:
            raise ContractError(f"a frame must state a size of at most {raw_bytes_max} bytes, not {stated}")
        return zstandard.ZstdDecompressor().decompress(payload, max_output_size=raw_bytes_max, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise ContractError("the message is not one zstd frame") from error


class Fields:
    """Reads an array from front to back, each field checked for type and range."""

    __slots__ = ("_at", "_values")

    def __init__(self, values: list[object]) -> None:
        self._values = values
        self._at = 0

    def _next(self) -> object:
        if self._at >= len(self._values):
            raise ContractError(f"field {self._at} is missing")
        self._at += 1
        return self._values[self._at - 1]

    def expect_schema(self, number: int) -> None:
        """Refuse another version of the contract."""
        found = self._next()
        if type(found) is not int or found != number:
            raise ContractError(f"schema {found!r} is not {number}: update the older side")

    def integer(self, low: int, high: int) -> int:
        """An integer within both bounds. A boolean is none."""
        value = self._next()
        if type(value) is not int or not low <= value <= high:
            raise ContractError(f"field {self._at - 1} is no integer from {low} to {high}")
        return value

    def text(self, length_max: int) -> str:
        """A text of at most so many characters."""
        return _text(self._next(), length_max, self._at - 1)

    def texts(self, count_max: int, length_max: int) -> list[str]:
        """An array of texts."""
        return [_text(value, length_max, self._at - 1) for value in self.array(count_max)]

    def binary(self, length: int) -> bytes:
        """Exactly so many bytes."""
        value = self.binary_up_to(length)
        if len(value) != length:
            raise ContractError(f"field {self._at - 1} is not {length} bytes long")
        return value

    def binary_up_to(self, length_max: int) -> bytes:
        """At most so many bytes."""
        value = self._next()
        if type(value) is not bytes or len(value) > length_max:
            raise ContractError(f"field {self._at - 1} is no binary of at most {length_max} bytes")
        return value

    def array(self, count_max: int) -> list[object]:
        """An array of at most so many elements, unread."""
        value = self._next()
        if type(value) is not list or len(value) > count_max:
            raise ContractError(f"field {self._at - 1} is no array of at most {count_max} elements")
        return value

    def children(self, count_max: int, *, width: int) -> Iterator[Fields]:
        """An array of arrays, each exactly `width` long."""
        for value in self.array(count_max):
            if type(value) is not list or len(value) != width:
                raise ContractError(f"an element of field {self._at - 1} is no array of {width}")
            yield Fields(value)

    def end(self) -> None:
        """Refuse what is left over."""
        if self._at != len(self._values):
            raise ContractError(f"{len(self._values) - self._at} fields too many")


def _text(value: object, length_max: int, at: int) -> str:
    if type(value) is not str or len(value) > length_max:
        raise ContractError(f"field {at} is no text of at most {length_max} characters")
    return value
