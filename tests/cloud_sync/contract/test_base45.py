"""Base45: the examples of RFC 9285, and that only its own texts are read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_sync.contract.base45 import ALPHABET, decode, encode
from control.domain.errors import ContractError

# RFC 9285 clauses 4.3 and 4.4.
EXAMPLES = [(b"AB", "BB8"), (b"Hello!!", "%69 VD92EX0"), (b"base-45", "UJCLQE7W581"), (b"ietf!", "QED8WEX0"), (b"", "")]


@pytest.mark.parametrize(("raw", "text"), EXAMPLES)
def test_the_examples_of_the_standard(raw: bytes, text: str) -> None:
    assert encode(raw) == text
    assert decode(text) == raw


@pytest.mark.parametrize("text", ["A", "BB8A", "bb8", "BB,", "é00", "GGW", ":::", "V5", "::"])
def test_what_is_no_base45(text: str) -> None:
    with pytest.raises(ContractError):
        decode(text)


@given(st.binary(max_size=200))
def test_there_and_back(raw: bytes) -> None:
    text = encode(raw)
    assert decode(text) == raw
    assert len(text) == len(raw) // 2 * 3 + len(raw) % 2 * 2
    assert set(text) <= set(ALPHABET)
    assert not text.endswith(" ")


@given(st.text(alphabet=ALPHABET + "a,é", max_size=60))
def test_a_text_is_read_in_one_way_or_refused(text: str) -> None:
    try:
        raw = decode(text)
    except ContractError:
        return
    assert encode(raw) == text
