"""Crockford's base 32: owns the 32 characters of the codes, and what people mean when they type others.

No I, L, O, U: a typed I or L is 1 and an O is 0; blanks and hyphens are for the eye.
"""

from __future__ import annotations

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
BITS = 5
_VALUES = {character: value for value, character in enumerate(ALPHABET)}
_MEANT = str.maketrans({"I": "1", "L": "1", "O": "0", " ": None, "-": None})


def encode(value: int, length: int) -> str:
    """`value` in exactly `length` characters. Raises ValueError when it does not fit."""
    if not 0 <= value < 1 << (BITS * length):
        raise ValueError(f"{value} does not fit into {length} characters.")
    return "".join(ALPHABET[value >> (BITS * place) & 31] for place in reversed(range(length)))


def decode(text: str) -> int | None:
    """The number of a text in plain capitals of the alphabet; None for any other character."""
    value = 0
    for character in text:
        digit = _VALUES.get(character)
        if digit is None:
            return None
        value = value << BITS | digit
    return value


def normalised(text: str) -> str:
    """What a person meant to type, in plain capitals."""
    return text.upper().translate(_MEANT)


def grouped(text: str, size: int = 5) -> str:
    """For the eye: groups with hyphens between."""
    return "-".join(text[start : start + size] for start in range(0, len(text), size))
