"""The app's calls are the server's routes: path, method, parameters, bodies, and every field that is read."""

from __future__ import annotations

import inspect
import types
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

import jsonschema
import pytest

from cloud_sync.server import build
from cloud_sync.server.config import CloudConfig
from mobile.core.api import calling, carbon, people, permits, points, public
from mobile.core.api.calling import PREFIX
from mobile.core.api.parsing import plain
from mobile.core.api.people import Registration
from mobile.core.api.permits import VehicleWords

GROUPS = (people.People, points.Points, permits.Permits, carbon.Carbon, public.Public)
ACCESS = Path(__file__).parents[3] / "docs" / "access.md"
AT = datetime(2026, 11, 21, 2, 42, 31, tzinfo=UTC)
SHA = "a" * 64

# What a call is tried with, by the parameter's name; others are made from their type.
SAMPLES: dict[str, Any] = {
    "new": Registration(
        username="mei",
        password="a long enough password",
        role="visitor",
        consent_version="1",
        consents=("terms", "contact"),
        born_on=date(2001, 2, 3),
    ),
    "language": "en",
    "purpose": "contact",
    "kind": "visits",
    "email": "mei@island.test",
    "phone": "13800138000",
    "distance_km": "1.250",
    "direction": "start",
    "state": "granted",
    "tab": "open",
    "year": 2026,
    "status": ("draft", "returned"),
    "plate": "琼A12345",
    "application_id": "XK-2026-000001",
    "words": VehicleWords(drive="diesel", consumption_per_100km=Decimal("28.5")),
    "form": {"plate": "琼A12345", "window_from": AT, "papers": ({"sha256": SHA, "kind": "driving_licence"},)},
    "evidence": {"fuel": "diesel", "fuel_used": Decimal("12.5"), "route_km": None},
    "sha256": SHA,
    "media_type": "application/pdf",
    "content": b"%PDF",
    "before": 3,
}
# Where one name means different things.
SPECIAL: dict[tuple[str, str], Any] = {
    ("ask", "kind"): "question",
    ("appeal", "evidence"): (SHA,),
    ("redemptions", "before"): "x",
    ("appeals", "before"): "x",
    ("declare", "papers"): (SHA,),
    ("applications", "cursor"): "XK-2026-000001",
}
# Anybody's routes that the app has no use for.
LEFT_OUT = {
    "GET /applications/{application_id}/pass.png",
    "GET /applications/{application_id}/pass.svg",
    "GET /session",
    "DELETE /session",
    "POST /session",
    "POST /setup",
    "GET /metrics",
    "GET /openapi.json",
    "GET /points/heads",
}


@dataclass(frozen=True)
class Made:
    """One call of one method."""

    name: str
    method: str
    template: str
    given: dict[str, Any]

    def __str__(self) -> str:
        return self.name


class Recorder:
    """Stands where the caller stands, and sends nothing."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, dict[str, Any]]] = []

    async def call(self, method: str, template: str, **given: Any) -> Any:
        self.calls.append((method, template, given))


def sample(method: str, parameter: inspect.Parameter) -> Any:
    if (method, parameter.name) in SPECIAL:
        return SPECIAL[(method, parameter.name)]
    if parameter.name in SAMPLES:
        return SAMPLES[parameter.name]
    hint = str(parameter.annotation)
    for word, value in (("bool", True), ("datetime", AT), ("date", AT.date()), ("int", 5), ("tuple", ()), ("str", "x")):
        if word in hint:
            return value
    raise AssertionError(f"no sample for {method}({parameter.name})")


def all_calls() -> Iterator[Made]:
    """Every method, with all that it takes and with only what it needs."""
    for group in GROUPS:
        for name, method in inspect.getmembers(group, inspect.iscoroutinefunction):
            if name.startswith("_"):
                continue
            parameters = list(inspect.signature(method).parameters.values())[1:]
            for which in ("all", "least"):
                wanted = [one for one in parameters if which == "all" or one.default is inspect.Parameter.empty]
                by_place = [sample(name, one) for one in wanted if one.kind is one.POSITIONAL_OR_KEYWORD]
                by_name = {one.name: sample(name, one) for one in wanted if one.kind is one.KEYWORD_ONLY}
                recorder = Recorder()
                coroutine = getattr(group(recorder), name)(*by_place, **by_name)
                with pytest.raises(StopIteration):
                    coroutine.send(None)
                ((verb, template, given),) = recorder.calls
                yield Made(f"{group.__name__}.{name} ({which})", verb, template, given)


CALLS = [*all_calls(), Made("renewal", "POST", "/auth/refresh", {"answer": calling.TokenPair, "is_signed": False})]


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return build.create_app(CloudConfig()).openapi()


def operation_of(document: dict[str, Any], call: Made) -> dict[str, Any]:
    path = document["paths"].get(PREFIX + call.template)
    assert path is not None, f"there is no route {call.template}"
    assert call.method.lower() in path, f"{call.template} takes no {call.method}"
    return path[call.method.lower()]


def valid(document: dict[str, Any], schema: dict[str, Any], value: Any) -> None:
    jsonschema.Draft202012Validator(schema | {"components": document["components"]}).validate(value)


@pytest.mark.parametrize("call", CALLS, ids=str)
def test_path_and_parameters(document: dict[str, Any], call: Made) -> None:
    known = {(one["in"], one["name"]): one for one in operation_of(document, call).get("parameters", [])}
    given = {("path", name): value for name, value in (call.given.get("path") or {}).items()}
    given |= {("query", name): value for name, value in (call.given.get("query") or {}).items()}
    if call.given.get("key") is not None:
        given["header", "Idempotency-Key"] = call.given["key"]
    # Everything that is sent is known, and everything that must be sent is.
    assert given.keys() <= known.keys()
    needed = {key for key, one in known.items() if one.get("required")}
    needed |= {key for key in known if key[1] == "Idempotency-Key"}
    assert needed <= given.keys()
    for key, value in given.items():
        if value is not None:
            valid(document, known[key]["schema"], plain(value))


@pytest.mark.parametrize("call", CALLS, ids=str)
def test_body(document: dict[str, Any], call: Made) -> None:
    body = operation_of(document, call).get("requestBody")
    sent = call.given.get("body")
    if call.name == "renewal":
        sent = {"refresh_token": "x"}
    if body is None:
        assert sent is None
        return
    if isinstance(sent, bytes):
        assert all(one["schema"]["format"] == "binary" for one in body["content"].values())
        return
    schema = body["content"]["application/json"]["schema"]
    valid(document, schema, plain(sent))
    assert unknown(document, schema, plain(sent)) == []


def unknown(document: dict[str, Any], schema: dict[str, Any], value: Any) -> list[str]:
    """Fields of a body that the server would pass over."""
    schema = resolved(document, schema)
    if isinstance(value, list):
        return [one for item in value for one in unknown(document, schema["items"], item)]
    if not isinstance(value, dict):
        return []
    properties = schema["properties"]
    found = [name for name in value if name not in properties]
    for name in value.keys() & properties.keys():
        found += unknown(document, properties[name], value[name])
    return found


def resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """Without `$ref`, and without "or null"."""
    if "anyOf" in schema:
        schema = next(one for one in schema["anyOf"] if one.get("type") != "null")
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


@pytest.mark.parametrize("call", CALLS, ids=str)
def test_answer(document: dict[str, Any], call: Made) -> None:
    responses = operation_of(document, call)["responses"]
    (status,) = [code for code in responses if code.startswith("2")]
    answer = call.given.get("answer")
    content = responses[status].get("content", {})
    if answer is None:
        assert status == "204", "nothing is read of an answer that has a body"
    elif answer is not bytes:
        differing = list(differences(document, answer, content["application/json"]["schema"], "answer"))
        assert differing == []


def differences(document: dict[str, Any], kind: Any, schema: dict[str, Any], where: str) -> Iterator[str]:
    """Where the app reads something that the server does not say so."""
    is_nullable = any(one.get("type") == "null" for one in schema.get("anyOf", ()))
    is_optional = get_origin(kind) in (Union, types.UnionType)
    if is_nullable != is_optional and kind is not Any:
        yield f"{where}: null here, but not there"
        return
    if is_optional:
        (kind,) = [one for one in get_args(kind) if one is not type(None)]
    schema = resolved(document, schema)
    if is_dataclass(kind):
        yield from _of_record(document, kind, schema, where)
    elif get_origin(kind) is tuple:
        yield from differences(document, get_args(kind)[0], schema.get("items", {}), f"{where}[]")
    elif get_origin(kind) is dict:
        if schema.get("additionalProperties") is not True:
            yield from differences(document, get_args(kind)[1], schema["additionalProperties"], f"{where}{{}}")
    elif kind is not Any and (schema.get("type"), schema.get("format", "")) not in PLAIN[kind]:
        yield f"{where}: {kind.__name__}, but {schema.get('type')} {schema.get('format', '')}"


PLAIN: dict[Any, set[tuple[str, str]]] = {
    str: {("string", "")},
    int: {("integer", "")},
    bool: {("boolean", "")},
    float: {("number", ""), ("integer", "")},
    Decimal: {("string", ""), ("number", "")},
    datetime: {("string", "date-time")},
    date: {("string", "date")},
}


def _of_record(document: dict[str, Any], kind: Any, schema: dict[str, Any], where: str) -> Iterator[str]:
    hints = get_type_hints(kind)
    for field in fields(kind):
        known = schema.get("properties", {}).get(field.name)
        if known is None:
            yield f"{where}.{field.name} is not in {schema.get('title')}"
        else:
            yield from differences(document, hints[field.name], known, f"{where}.{field.name}")


def test_every_route_for_the_public_is_called_or_left_out() -> None:
    wanted = set()
    for line in ACCESS.read_text(encoding="utf-8").splitlines():
        parts = [one.strip(" `") for one in line.split("|")]
        if len(parts) == 4 and PREFIX in parts[1]:
            verb, _, path = parts[1].partition(" ")
            if parts[2] in ("anyone signed in", "everybody", "earn", "apply") or "apply" in parts[2]:
                wanted.add(f"{verb} {path.removeprefix(PREFIX)}")
    called = {f"{call.method} {call.template}" for call in CALLS}
    assert wanted - called == LEFT_OUT
    assert called - wanted == {"GET /vouchers/mine"}


def test_who_is_asked_without_a_sign_in() -> None:
    everybody = set()
    for line in ACCESS.read_text(encoding="utf-8").splitlines():
        parts = [one.strip(" `") for one in line.split("|")]
        if len(parts) == 4 and parts[2] == "everybody":
            everybody.add(parts[1].replace(PREFIX, ""))
    for call in CALLS:
        is_open = f"{call.method} {call.template}" in everybody
        assert call.given.get("is_signed", True) is not is_open, call.name
