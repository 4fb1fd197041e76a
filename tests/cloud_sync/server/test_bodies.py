"""Bodies: whatever a gateway sends is either usable by PostgreSQL or named; nothing raises, nothing blocks."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloud_sync.server.bodies import BadBody, parsed_time, read_body
from control.domain.events import EVENT_KINDS

AT = "2026-11-21T02:43:00.000Z"
ODD: list[Any] = [None, True, 0, -1, 2**63, 2**70, 1.5, 1e308, "", "x", "\0", "\ud800", "x" * 5000, AT, [], {}, [[]]]
ODD += [["\0"], [1], ["x"], [{"code": "\0"}], [{"code": "x"}], {"text": "\0"}, {"text": 7}, {"a": "\ud800"}]
ODD += ["琼C12345", {"confidence": 9e999}, {"characters": "x"}, {"characters": [1]}, {"characters": [{"char": 1}]}]
ODD += [{"quad": [1, 2]}, {"lane_id": 7}, [{"lane_id": "e1", "gate_id": 5}], [{"id": "\0"}]]


def sample(kind: str) -> dict[str, Any]:
    """A body that is right."""
    words: dict[str, Any] = {"str": "x", "bool": False, "int": 1, "float": 1.0, "list": [], "dict": {}}
    body = {}
    for one in fields(EVENT_KINDS[kind][0]):
        first = str(one.type).split("|")[0].split("[")[0].strip()
        body[one.name] = AT if one.name == "at" or one.name.endswith("_at") else words[first]
    return body


@pytest.mark.parametrize("kind", EVENT_KINDS)
def test_a_right_body_is_its_dataclass(kind: str) -> None:
    body = sample(kind)
    read = read_body(kind, json.dumps(body | {"from_a_newer_gateway": 1}).encode())
    assert asdict(read) == body


@pytest.mark.parametrize("kind", EVENT_KINDS)
def test_a_missing_key_is_named(kind: str) -> None:
    first = fields(EVENT_KINDS[kind][0])[0].name
    body = sample(kind)
    del body[first]
    assert read_body(kind, json.dumps(body).encode()) == BadBody(f"{first} is missing")


@given(st.binary(max_size=200))
def test_garbage_is_named(raw: bytes) -> None:
    assert isinstance(read_body("command_result", raw), BadBody)


@pytest.mark.parametrize(
    "text", ["", "now", "2026-11-21", "2026-11-21T02:43:00", "0001-01-01T00:00:00Z", "9999-12-31T00:00Z"]
)
def test_a_time_needs_a_zone_and_a_sane_year(text: str) -> None:
    assert parsed_time(text) is None


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_whatever_is_read_can_be_stored(gateway: Any, data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(sorted(EVENT_KINDS)))
    body = sample(kind)
    for name in data.draw(st.lists(st.sampled_from(sorted(body)), max_size=3, unique=True)):
        body[name] = data.draw(st.sampled_from(ODD))
    raw = json.dumps(body).encode()
    row = gateway.row(kind, raw)
    rejected = await gateway.send(row)
    assert bool(rejected) == isinstance(read_body(kind, raw), BadBody)
