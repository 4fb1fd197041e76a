"""What is declared of a visit: figures as they are typed, what is wrong with them, and what is kept to be sent."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from mobile.core.client import Client
from mobile.core.errors import ApiProblem, StoreBroken
from mobile.core.models import visits
from mobile.core.models.declaration import Declaration
from mobile.core.models.visits import OneVisit
from mobile.core.outbox import Entry

PHOTO = b"a photo of the receipt"
NUMBER, BACKWARDS = "A number is needed.", "It cannot be less than on arrival."


def filled(fuel: str = "", papers: tuple[bytes, ...] = (PHOTO,), **typed: str) -> Declaration:
    made = Declaration(fuel=fuel, papers=list(papers))
    made.typed |= typed
    return made


@pytest.mark.parametrize(
    ("typed", "mistakes"),
    [
        ({"fuel_used": "38,5"}, {}),
        ({"fuel_used": "38 L"}, {"fuel_used": NUMBER}),
        ({"odometer_in_km": "45,120", "odometer_out_km": "45,131"}, {}),
        ({"odometer_in_km": "45131", "odometer_out_km": "45120"}, {"odometer_out_km": BACKWARDS}),
        ({"odometer_out_km": "45120"}, {}),
        ({"route_km": "-3", "idle_min": "x"}, {"route_km": NUMBER, "idle_min": NUMBER}),
    ],
)
def test_what_is_wrong_stands_at_its_field(typed: dict[str, str], mistakes: dict[str, str]) -> None:
    assert filled(**typed).mistakes() == mistakes


def test_what_is_missing_is_told_one_thing_at_a_time() -> None:
    assert filled(papers=()).missing() == "Fill in at least one figure."
    assert filled(papers=(), idle_min="5").missing() == "Add a photo that shows it."
    assert filled(idle_min="5").missing() == ""


def test_what_is_left_empty_is_not_declared_nor_a_fuel_that_nobody_said() -> None:
    one = filled("diesel", fuel_used=" 12,5 ", route_km="")
    assert one.evidence() == {"fuel_used": Decimal("12.5")}
    one.say_fuel("lng")
    assert one.evidence() == {"fuel_used": Decimal("12.5"), "fuel": "lng"}


@pytest.fixture
def client(phone: Callable[..., Client]) -> Client:
    made = phone(role="driver")
    made.store.account = "wu"
    return made


async def refused(client: Client) -> Entry:
    """A declaration that the server did not take."""

    async def send(_: Entry) -> None:
        raise ApiProblem("evidence_refused", status=409)

    client.outbox.register(visits.EVIDENCE, send)
    client.outbox.resume()
    one = filled(fuel_used="12.5", route_km="8")
    one.say_fuel("lng")
    one.hand_in(OneVisit(client, "v1"))
    await client.outbox.turn()
    (entry,) = client.outbox.entries(visits.EVIDENCE, "refused")
    return entry


async def test_one_that_was_not_taken_begins_as_it_was_and_is_replaced(client: Client) -> None:
    visit, entry = OneVisit(client, "v1"), await refused(client)
    again = Declaration.of(visit, entry)
    assert (again.typed["fuel_used"], again.typed["route_km"], again.typed["idle_min"]) == ("12.5", "8", "")
    assert (again.fuel, again.is_fuel_said, again.papers) == ("lng", True, [PHOTO])
    again.typed["fuel_used"] = "21.5"
    again.hand_in(visit, entry)
    (waiting,) = visit.on_its_way()
    assert waiting.body["evidence"] == {"fuel_used": "21.5", "route_km": "8", "fuel": "lng"}
    assert visit.papers_of(waiting) == (PHOTO,)


async def test_a_memory_that_fails_after_it_was_kept_makes_no_second_one(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    visit, entry = OneVisit(client, "v1"), await refused(client)

    def broken(_: int) -> bool:
        raise StoreBroken("no more")

    monkeypatch.setattr(client.outbox, "dismiss", broken)
    Declaration.of(visit, entry).hand_in(visit, entry)
    assert [one.state for one in visit.on_its_way()] == ["refused", "waiting"]
