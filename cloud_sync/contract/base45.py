"""Base45: owns bytes as text for the alphanumeric mode of a QR code, and back. Source: RFC 9285."""

from __future__ import annotations

from control.domain.errors import ContractError

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_BASE = len(ALPHABET)
_VALUE = {character: value for value, character in enumerate(ALPHABET)}


def encode(raw: bytes) -> str:
    """Two bytes in three characters, a last single byte in two; RFC 9285 clause 4.2. It never ends in a space."""
    return "".join(_group(raw[at : at + 2]) for at in range(0, len(raw), 2))


def _group(raw: bytes) -> str:
    value, characters = int.from_bytes(raw), []
    for _ in range(len(raw) + 1):
        value, digit = divmod(value, _BASE)
        characters.append(ALPHABET[digit])
    return "".join(characters)


def decode(text: str) -> bytes:
    """Its inverse. Raises ContractError for another character, an impossible length or a group out of range."""
    # RFC 9285 clause 4.3: a single character left over, and a group above its bytes' range, are errors.
    if len(text) % 3 == 1:
        raise ContractError("the text ends in the middle of a group")
    try:
        values = [_VALUE[character] for character in text]
    except KeyError as error:
        raise ContractError(f"{error.args[0]!r} is no base45 character") from error
    whole = len(values) - len(values) % 3
    triples = zip(values[0:whole:3], values[1:whole:3], values[2:whole:3], strict=True)
    try:
        raw = b"".join([(low + mid * _BASE + high * _BASE**2).to_bytes(2) for low, mid, high in triples])
        return raw + (values[-2] + values[-1] * _BASE).to_bytes(1) if whole < len(values) else raw
    except OverflowError as error:
        raise ContractError("a group stands for more than its bytes hold") from error
