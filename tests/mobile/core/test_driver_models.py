"""Applications of drivers: kept at every change, handed in once whatever is lost on the way, readable offline."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cloud_sync.server.auth import CurrentUser
from cloud_sync.server.permits import applications, worker
from cloud_sync.server.roles import Role
from control.permits.application import Remark
from mobile.core.api.late import Limits
from mobile.core.api.permits import ApplicationRow, ClassChoice, PassRecord, VehicleWords, Words
from mobile.core.api.transport import HttpTransport
from mobile.core.api.wire import Request, Response
from mobile.core.client import Client
from mobile.core.errors import ApiProblem, Offline, SignedOut
from mobile.core.models import application_draft, application_sending, passes, visits
from mobile.core.models.application_draft import Draft, Drafts
from mobile.core.models.application_gaps import gaps, missing_papers, step_of
from mobile.core.models.applications import Applications, OneApplication, Part, part_of
from mobile.core.models.choices import Choices
from mobile.core.models.passes import PermitPass, Validity, validity
from mobile.core.models.sending import register_kinds
from mobile.core.models.vehicles import Typed, Vehicles, colours, typed
from mobile.core.models.visits import OneVisit, sums

PASSWORD = "a long enough password"
AT = datetime(2026, 11, 21, 2, 42, 31, tzinfo=UTC)
NEEDED = ("vehicle_licence",)


def png(shade: int = 90, side: int = 220) -> bytes:
    """A grey picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    rows = b"".join(b"\0" + bytes([shade]) * side for _ in range(side))
    head = side.to_bytes(4, "big") * 2 + bytes([8, 0, 0, 0, 0])
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


class Lossy(HttpTransport):
    """Passes everything on, and loses the answers that `lost` names by method and end of the path, once each."""

    def __init__(self, url: str) -> None:
        super().__init__(url, Limits())
        self.lost: list[tuple[str, str]] = []
        self.seen: list[str] = []

    async def send(self, request: Request) -> Response:
        answer = await super().send(request)
        self.seen.append(request.target)
        for one in self.lost:
            if one[0] == request.method and request.target.endswith(one[1]):
                self.lost.remove(one)
                raise Offline("the answer was lost")
        return answer


class Away(HttpTransport):
    """No network."""

    async def send(self, request: Request) -> Response:
        raise Offline("away")


class Road:
    """A driver with a phone, an office, and gates that exist."""

    def __init__(self, island: Any, client: Client, wire: Lossy) -> None:
        self.island, self.client, self.wire, self.drafts = island, client, wire, Drafts(client)

    def draft(self, **more: Any) -> Draft:
        """A form without a gap, kept in the phone."""
        begins = (self.island.clock() + timedelta(days=2)).replace(microsecond=0)
        draft = self.drafts.new(
            {
                "plate": "琼C61K28",
                "plate_colour": "yellow",
                "permit_class": "special",
                "entry_kind": "counted",
                "entries": 2,
                "emission_class": "crane",
                "drive": "diesel",
                "purpose": "lifting",
                "gates": ["east"],
                "window_from": begins,
                "window_until": begins + timedelta(hours=10),
                "holder": "Hongda",
            }
            | more
        )
        return self.drafts.add_paper(draft, png(), kind="vehicle_licence", name="a.png", media_type="image/png")

    async def sent(self) -> Any:
        """The last application of the outbox once it was sent or refused."""
        entry = self.client.outbox.entries(application_draft.APPLICATION)[-1]
        found = await self.client.outbox.settled(entry.entry_id, 30)
        assert found is not None
        return found

    async def row(self) -> dict[str, Any]:
        """The only application that the server has."""
        rows = await self.island.given.pool.fetch("SELECT application_id, status, version FROM applications")
        assert len(rows) == 1
        return dict(rows[0])

    async def submits(self, number: str) -> int:
        """How often it was handed in."""
        record = await self.client.api.permits.application(number)
        return application_draft.submits_of(record)


@pytest.fixture
async def office(island: Any) -> CurrentUser:
    user_id = await island.add_person("reviewer")
    return CurrentUser(user_id, "reviewer", "Reviewer", Role("reviewer"), "")


@pytest.fixture
async def road(island: Any, phone: Callable[..., Client]) -> Road:
    await island.add_person("driver")
    await island.given.pool.execute(
        "INSERT INTO lanes (gateway_id, lane_id, gate_id, direction) VALUES ('gw-east', 'e1', 'east', 'in')"
    )
    wire = Lossy(island.url)
    client = phone(island.url, "driver", transport=wire)
    register_kinds(client)
    await client.session.sign_in("driver", PASSWORD)
    await client.start()
    return Road(island, client, wire)


# ---------------------------------------------------------------- without a server


def test_what_was_entered_is_there_after_a_kill(phone: Callable[..., Client]) -> None:
    client = phone(role="driver")
    client.store.account = "wu"
    drafts = Drafts(client)
    draft = drafts.new({"plate": "琼C61K28"})
    assert drafts.all() == ()  # kept at its first change
    draft = drafts.change(draft, gates=("east",), window_from=AT)
    draft = drafts.add_paper(draft, b"%PDF-1", kind="contract", name="a.pdf", media_type="application/pdf")
    draft = drafts.add_paper(draft, b"%PDF-1", kind="insurance", name="a.pdf", media_type="application/pdf")
    draft = drafts.date_paper(draft, draft.papers[0], AT.date())
    draft = drafts.turn_to(draft, 3)
    again = Drafts(phone(role="driver"))
    again._client.store.account = "wu"
    (found,) = again.all()
    assert found == draft
    assert (found.step, [one.kind for one in found.papers], found.papers[0].valid_until) == (
        3,
        ["insurance"],
        AT.date(),
    )
    assert again._client.files.read(found.papers[0].sha256) == b"%PDF-1"
    again.drop(found)
    assert again.all() == ()
    assert not again._client.files.path(found.papers[0].sha256).exists()


def test_a_kill_between_outbox_and_draft_shows_it_once(phone: Callable[..., Client]) -> None:
    client = phone(role="driver")
    client.store.account = "wu"
    drafts = Drafts(client)
    draft = drafts.change(drafts.new({"plate": "琼C61K28"}))
    entry = drafts.hand_in(draft)
    client.store.draft_put(f"application/{draft.draft_id}", entry.body)  # as if it had not been dropped any more
    assert drafts.all() == ()
    back = drafts.take_back(entry)
    assert back is not None
    assert [one.draft_id for one in drafts.all()] == [draft.draft_id]
    assert client.outbox.entries() == ()


def test_gaps_are_known_without_a_network(phone: Callable[..., Client]) -> None:
    client = phone(role="driver")
    client.store.account = "wu"
    special = ClassChoice("special", Words("", ""), NEEDED, 7, 24)  # type: ignore[arg-type]
    empty = Drafts(client).new()
    assert set(gaps(empty, special)) >= {"plate", "drive", "gates", "window_from", "papers", "holder"}
    assert missing_papers(empty, special) == NEEDED
    backwards = Drafts(client).new({"window_from": AT, "window_until": AT, "purpose": "other", "entry_kind": "counted"})
    assert {"window_until", "purpose_text", "entries"} <= set(gaps(backwards, None))
    assert [step_of(one) for one in ("plate", "purpose", "gates", "papers", "")] == [0, 1, 2, 3, 4]


def test_a_plate_is_judged_while_it_is_typed() -> None:
    assert [typed(one) for one in ("琼C", "琼C61K28", "琼C61K2I")] == [Typed.UNFINISHED, Typed.GOOD, Typed.WRONG]
    assert set(colours("琼C61K28")) >= {"blue", "yellow"}
    assert colours("琼C") == ()


@pytest.mark.parametrize(
    ("hours", "left", "status", "holds"),
    [
        (1, 3, "active", Validity.NOW),
        (-1, 3, "approved", Validity.COMING),
        (11, 3, "active", Validity.OVER),
        (1, 0, "active", Validity.USED_UP),
        (1, None, "active", Validity.NOW),
        (1, 3, "revoked", Validity.WITHDRAWN),
        (1, 3, "expired", Validity.OVER),
    ],
)
def test_whether_a_pass_opens_a_gate(hours: int, left: int | None, status: str, holds: Validity) -> None:
    shown = PassRecord("XK-2026-000512", "琼C61K28", "T", AT, AT, AT + timedelta(hours=10), ("east",), left)
    assert validity(shown, AT + timedelta(hours=hours), status) is holds


# ---------------------------------------------------------------- handing in


async def test_it_is_handed_in_once_with_its_paper(road: Road) -> None:
    road.drafts.hand_in(road.draft())
    assert road.drafts.all() == ()
    entry = await road.sent()
    assert (entry.state, (await road.row())["status"]) == ("sent", "submitted")
    listed = Applications(road.client)
    await listed.refresh()
    (row,) = listed.of(Part.WITH_OFFICE)
    assert entry.answer == {"application_id": row.application_id}
    sha256 = entry.body["papers"][0]["sha256"]
    road.drafts.tidy()
    assert road.client.outbox.entries() == ()
    assert not road.client.files.path(sha256).exists()


@pytest.mark.parametrize(
    "lost", [("POST", "/documents"), ("POST", "/applications"), ("GET", "0001"), ("POST", "/submit")]
)
async def test_a_lost_answer_makes_no_second_application(road: Road, lost: tuple[str, str]) -> None:
    road.wire.lost = [lost, lost]
    road.drafts.hand_in(road.draft())
    entry = await road.sent()
    assert entry.state == "sent"
    assert entry.tries >= 2
    row = await road.row()
    assert (row["status"], await road.submits(row["application_id"])) == ("submitted", 1)


async def test_a_refusal_gives_the_draft_back_and_the_next_try_files_no_second_one(road: Road) -> None:
    road.drafts.hand_in(road.draft(gates=["moon"]))
    entry = await road.sent()
    assert entry.state == "refused"
    assert [one["field"] for one in entry.problem.more["problems"]] == ["gates"]
    number = (await road.row())["application_id"]
    listed = Applications(road.client)
    await listed.refresh()
    assert listed.of(Part.TO_DO) == ()  # it stands among what was refused
    assert listed.on_their_way() == (entry,)
    draft = road.drafts.take_back(entry)
    assert draft is not None
    assert draft.application_id == number
    road.drafts.hand_in(road.drafts.change(draft, gates=["east"]))
    assert (await road.sent()).state == "sent"
    assert (await road.row())["status"] == "submitted"


async def returned(road: Road, office: CurrentUser) -> str:
    """An application that the office gave back for its paper."""
    road.drafts.hand_in(road.draft())
    number = str((await road.sent()).answer["application_id"])
    road.drafts.tidy()
    remarks = (Remark("papers", "It cannot be read."),)
    await applications.send_back(road.island.given, office, number, remarks=remarks)
    return number


@pytest.mark.parametrize("lost", [(), (("PATCH", ""), ("POST", "/submit"))])
async def test_a_returned_one_opens_as_it_was_and_goes_in_again(
    road: Road, office: CurrentUser, lost: tuple[tuple[str, str], ...]
) -> None:
    number = await returned(road, office)
    one = OneApplication(road.client, number)
    await one.refresh()
    assert one.remarks() == (("papers", "It cannot be read."),)
    draft = road.drafts.of(one.shown.value)  # type: ignore[arg-type]
    assert (draft.form["plate"], [paper.is_here for paper in draft.papers]) == ("琼C61K28", [False])
    draft = road.drafts.drop_paper(draft, draft.papers[0])
    draft = road.drafts.add_paper(draft, png(30), kind="vehicle_licence", name="b.png", media_type="image/png")
    road.wire.lost = list(lost)
    road.drafts.hand_in(draft)
    entry = await road.sent()
    assert (entry.state, entry.problem) == ("sent", None)
    record = await road.client.api.permits.application(number)
    assert (record.row.status, application_draft.submits_of(record)) == ("submitted", 2)
    assert [paper.sha256 for paper in record.form.papers] == [draft.papers[0].sha256]


async def test_what_somebody_changed_meanwhile_is_not_overwritten(road: Road, office: CurrentUser) -> None:
    number = await returned(road, office)
    record = await road.client.api.permits.application(number)
    draft = road.drafts.change(road.drafts.of(record), purpose_text="from this phone")
    await road.client.api.permits.edit(number, version=record.row.version, form={"purpose_text": "from elsewhere"})
    road.drafts.hand_in(draft)
    entry = await road.sent()
    assert (entry.state, entry.problem.code) == ("refused", "changed_meanwhile")
    back = road.drafts.take_back(entry)
    assert back is not None
    newer = road.drafts.of(await road.client.api.permits.application(number))
    assert (newer.draft_id, newer.form["purpose_text"]) == (back.draft_id, "from this phone")
    road.drafts.hand_in(newer)
    assert (await road.sent()).state == "sent"
    decided = road.drafts.change(newer, purpose_text="too late")
    road.drafts.hand_in(decided)
    assert (await road.sent()).problem.code == "application_moved_on"


async def test_the_form_is_checked_before_it_is_filed(road: Road) -> None:
    found = await application_sending.checked(road.client, road.draft(gates=["moon"]))
    assert [one.field for one in found.problems] == ["gates"]
    assert await road.island.given.pool.fetchval("SELECT count(*) FROM applications") == 0


async def test_a_copy_leaves_window_and_papers_out(road: Road, office: CurrentUser) -> None:
    record = await road.client.api.permits.application(await returned(road, office))
    copy = road.drafts.copy(record.form)
    assert (copy.application_id, copy.papers, copy.form["window_from"]) == (None, (), None)
    assert copy.form["holder"] == "Hongda"


# ---------------------------------------------------------------- passes, vehicles, visits


async def test_a_pass_is_in_the_phone_before_it_is_needed(road: Road, office: CurrentUser, phone: Any) -> None:
    road.drafts.hand_in(road.draft())
    number = str((await road.sent()).answer["application_id"])
    await applications.approve(road.island.given, office, number)
    road.island.clock.by += timedelta(seconds=30)
    await worker.turn(road.island.given)
    listed = Applications(road.client)
    await listed.refresh()
    rows = listed.of(Part.IN_FORCE)
    await passes.fetch_missing(road.client, rows)
    calls = len(road.wire.seen)
    await passes.fetch_missing(road.client, rows)
    assert len(road.wire.seen) == calls  # nothing changed
    (known,) = passes.kept(road.client)
    assert (known.application_id, known.gates) == (number, ("east",))
    away = phone(road.island.url, "driver", transport=Away(road.island.url, Limits()))
    assert passes.kept(away) == (known,)
    record = OneApplication(away, number).shown.value
    assert record is not None
    assert (record.form.emission_class, record.row.plate_colour) == ("crane", "yellow")  # nobody opened it so far
    shown = PermitPass(away, number)
    await shown.refresh()
    assert shown.shown.is_offline
    await applications.revoke(road.island.given, office, number, reason="The event is off.")
    one, mine = OneApplication(road.client, number), PermitPass(road.client, number)
    await one.refresh()
    await mine.refresh()
    assert mine.shown.problem is not None
    assert mine.shown.problem.code == "no_pass"
    assert validity(known, known.valid_from, one.shown.value.row.status) is Validity.WITHDRAWN  # type: ignore[union-attr]
    await one.appeal("It is on again.", (png(7),))
    assert one.shown.value.row.status == "appealed"  # type: ignore[union-attr]


async def test_choices_are_known_without_a_network_once_they_were_heard(road: Road, phone: Any) -> None:
    await Choices(road.client).refresh()
    known = Choices(phone(road.island.url, "driver", language="en", transport=Away(road.island.url, Limits())))
    assert known.name("gates", "east") == "East gate"
    assert known.gates(["east", "dock"]) == "East gate, dock"
    assert known.name("purposes", None) == ""
    assert known.usual_per_100km("crane")
    assert known.permit_class("special") is not None


async def test_a_vehicle_is_added_changed_and_removed(road: Road) -> None:
    mine = Vehicles(road.client)
    await mine.add("琼C·61K28", VehicleWords(drive="diesel", emission_class="crane"))
    (one,) = mine.shown.value or ()
    assert one.plate == "琼C61K28"
    await mine.change(one.vehicle_id, VehicleWords(drive="lng", emission_class="crane", name="Big one"))
    (one,) = mine.shown.value or ()
    assert (one.drive, one.name) == ("lng", "Big one")
    await mine.remove(one.vehicle_id)
    assert mine.shown.value == ()


async def test_a_declaration_waits_with_its_photo(phone: Callable[..., Client]) -> None:
    client = phone(role="driver")
    client.store.account = "wu"
    register_kinds(client)
    visit = OneVisit(client, "v1")
    entry = visit.declare({"fuel_used": 12}, (png(),))
    assert visit.on_its_way() == (entry,)
    with pytest.raises(SignedOut):
        await visit.certificate("en")
    assert not visit.was_sent()
    visit.tidy()
    assert visit.on_its_way() == (entry,)
    assert client.files.read(entry.body["papers"][0]) == png()
    assert (visits.Sums(5, 3).open_g, sums(()).owed_g) == (2, 0)


async def test_a_photo_stays_while_anything_needs_it(phone: Callable[..., Client]) -> None:
    client = phone(role="driver")
    client.store.account = "wu"
    answers: list[Exception] = []

    async def send(_: Any) -> None:
        if answers:
            raise answers.pop()

    client.outbox.register(visits.EVIDENCE, send)
    client.outbox.resume()
    drafts, visit = Drafts(client), OneVisit(client, "v1")
    draft = drafts.add_paper(drafts.new(), png(), kind="contract", name="a.png", media_type="image/png")
    visit.declare({"fuel_used": 12}, (png(),))
    await client.outbox.turn()
    visit.tidy()
    assert visit.on_its_way() == ()
    sha256 = draft.papers[0].sha256
    assert client.files.read(sha256) == png()  # the draft's too
    answers.append(ApiProblem("evidence_refused", status=409))
    refused = visit.declare({"fuel_used": 12}, (png(),))
    await client.outbox.turn()
    drafts.drop(draft)
    assert client.files.read(sha256) == png()  # may be handed in again
    assert visit.papers_of(refused) == (png(),)
    visit.declare({"fuel_used": 12}, visit.papers_of(refused))
    visit.drop(refused)
    assert client.files.read(sha256) == png()  # the new one's
    await client.outbox.turn()
    visit.tidy()
    assert not client.files.path(sha256).exists()


async def test_a_pass_that_comes_for_somebody_else_is_not_kept(
    phone: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = phone(role="driver")
    client.store.account = "wu"

    async def answered(number: str) -> PassRecord:
        client.store.account = "li"
        return PassRecord("A1", "琼C61K28", "T", AT, AT, AT + timedelta(hours=10), ("east",), None)

    monkeypatch.setattr(client.api.permits, "permit_pass", answered)
    await PermitPass(client, "A1").refresh()
    client.store.account = "wu"
    names = dict.fromkeys(ApplicationRow.__dataclass_fields__)
    row = ApplicationRow(**names | {"application_id": "A1", "status": "active", "published_at": AT})
    await passes.fetch_missing(client, (row, row))
    assert client.store.account == "li"
    for account in ("wu", "li"):
        client.store.account = account
        assert passes.kept(client) == ()


async def test_what_others_changed_meanwhile_is_seen_under_what_was_entered_here(
    road: Road, office: CurrentUser
) -> None:
    number = await returned(road, office)
    record = await road.client.api.permits.application(number)
    road.drafts.change(road.drafts.of(record), purpose_text="from this phone")
    await road.client.api.permits.edit(number, version=record.row.version, form={"route": "from the web"})
    newer = road.drafts.of(await road.client.api.permits.application(number))
    assert (newer.form["purpose_text"], newer.form["route"]) == ("from this phone", "from the web")
    assert newer.changed == {"purpose_text": "from this phone"}


def test_a_state_of_a_later_version_stands_with_the_past() -> None:
    names = [one for one in ApplicationRow.__dataclass_fields__ if one != "status"]
    row = ApplicationRow(status="frozen", **dict.fromkeys(names))
    assert part_of(row) is Part.PAST
