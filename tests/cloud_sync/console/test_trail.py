"""The trail of a vehicle says what its pass was worth."""

from __future__ import annotations

from typing import Any

import pytest

from cloud_sync.server import queries
from cloud_sync.server.console.trail import trail
from cloud_sync.server.console.words import Words, load_catalogue


@pytest.mark.parametrize(
    ("language", "problem", "said"),
    [
        ("en", "", "Valid pass for 琼C·D12345"),
        ("zh", "", "通行码有效：琼C·D12345"),
        ("en", "expired", "The pass has expired"),
        ("zh", "expired", "通行码已过期"),
    ],
)
async def test_a_shown_pass_is_told(services: Any, gateway: Any, language: str, problem: str, said: str) -> None:
    shown = {"source": "camera", "plate": "琼CD12345", "permit_id": "p", "problem": problem}
    await gateway.send(gateway.decided("a1", pass_shown=shown), gateway.decided("a2"))
    words = Words(language, load_catalogue(language), services.config.zone, services.clock)
    lines = {
        one: trail(words, await queries.passage_detail(services.pool, one, now=services.clock()))
        for one in ("a1", "a2")
    }
    assert [line.text for line in lines["a1"]] == [said]
    assert [line.text for line in lines["a2"]] == [""]
