"""The services together, against the real cloud: away and back, killed and opened again, and each scan taken once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mobile.core.api.late import LateTransport, Limits
from mobile.core.api.points import PointsOfMe
from mobile.core.api.wire import Request, Response
from mobile.core.client import KEEP_DAYS, Client, build_client, device_mono
from mobile.core.clock import Stamp
from mobile.core.errors import Offline
from mobile.core.models.reminders import Reminders
from mobile.core.network import Asking, Network
from mobile.core.outbox import Entry
from mobile.core.shown import Model
from mobile.core.signal import Signal

PASSWORD = "a long enough password"
AT = datetime(2026, 11, 21, 2, 42, 31, tzinfo=UTC)
Phone = Callable[..., Client]


class Air:
    """A way to the server that can be away, or lose answers."""

    def __init__(self, url: str) -> None:
        self.real = LateTransport(url, Limits())
        self.is_away = False
        self.losing = 0
        self.asked: list[str] = []

    async def send(self, request: Request) -> Response:
        self.asked.append(f"{request.method} {request.target}")
        if self.is_away:
            raise Offline("away")
        response = await self.real.send(request)
        if self.losing and request.method == "POST":
            self.losing -= 1
            raise Offline("the answer is lost")
        return response

    async def close(self) -> None:
        await self.real.close()


class Home(Model[PointsOfMe]):
    """One's account."""

    cache_key = "points/me"
    answer = PointsOfMe

    async def fetch(self) -> PointsOfMe:
        return await self.client.api.points.me()


def with_scans(client: Client) -> Client:
    async def send(entry: Entry) -> Any:
        at = datetime.fromisoformat(entry.body["scanned_at"])
        return await client.api.points.scan(entry.body["text"], at, key=entry.key)

    def prepare(body: dict[str, Any]) -> dict[str, Any]:
        return {"text": body["text"], "scanned_at": client.clock.settled(Stamp.of(body["stamp"])).at.isoformat()}

    client.outbox.register("scan", send, prepare=prepare)
    return client


def scanned(client: Client, text: str) -> Entry:
    return client.outbox.put("scan", {"text": text, "stamp": client.clock.stamp().as_json()})


async def until(signal: Signal, is_so: Callable[[], bool]) -> None:
    """Waits for something that a signal tells of."""
    told = asyncio.Event()
    stop = signal.connect(told.set)
    async with asyncio.timeout(60):
        while not is_so():
            await told.wait()
            told.clear()
    stop()


async def taken(island: Any) -> int:
    return await island.given.pool.fetchval("SELECT count(*) FROM point_scans")


async def test_a_start_asks_nobody(island: Any, phone: Phone) -> None:
    air = Air(island.url)
    client = phone(island.url, transport=air)
    await client.start()
    model = Home(client)
    assert (model.shown.phase, client.network.online, air.asked) == ("loading", None, [])


async def test_scans_made_away_are_taken_once_when_the_network_is_back(island: Any, phone: Phone) -> None:
    await island.add_person("visitor", "mei")
    air = Air(island.url)
    client = with_scans(phone(island.url, transport=air))
    await client.start()
    await client.session.sign_in("mei", PASSWORD)
    home = Home(client)
    await home.refresh()
    air.is_away = True
    entries = [scanned(client, f"NO-CODE-{number}") for number in range(3)]
    await home.refresh()
    assert (home.shown.phase, home.shown.is_offline, client.network.online) == ("stale", True, False)
    assert client.outbox.waiting == 3
    air.losing, air.is_away = 2, False
    await until(client.outbox.changed, lambda: client.outbox.waiting == 0)
    assert client.network.online
    found = [client.outbox.entry(one.entry_id) for one in entries]
    assert [one.answer["state"] for one in found if one] == ["refused"] * 3
    assert await taken(island) == 3
    assert sum(one.endswith("/points/scans") for one in air.asked) >= 5


async def test_what_waited_is_sent_after_the_app_was_closed(island: Any, phone: Phone) -> None:
    await island.add_person("visitor", "mei")
    air = Air(island.url)
    first = with_scans(phone(island.url, transport=air))
    await first.session.sign_in("mei", PASSWORD)
    air.losing = 1
    entry = scanned(first, "NO-CODE")
    await first.outbox.turn()
    assert first.outbox.waiting == 1
    assert await taken(island) == 1
    again = with_scans(phone(island.url))
    assert again.outbox.waiting == 1
    await again.start()
    found = await again.outbox.settled(entry.entry_id, 60.0)
    assert found is not None
    assert (found.state, found.tries) == ("sent", 2)
    assert await taken(island) == 1


async def test_a_scan_of_a_phone_whose_clock_is_wrong_says_the_islands_time(island: Any, phone: Phone) -> None:
    await island.add_person("visitor", "mei")
    client = with_scans(
        phone(island.url, wall=lambda: datetime.now(UTC) - timedelta(days=400), transport=Air(island.url))
    )
    entry = scanned(client, "NO-CODE")  # before the server was ever heard
    await client.session.sign_in("mei", PASSWORD)
    await client.outbox.turn()
    found = client.outbox.entry(entry.entry_id)
    assert found is None  # nobody was signed in when it was made
    scanned(client, "NO-CODE")
    await client.outbox.turn()
    at = await island.given.pool.fetchval("SELECT scanned_at FROM point_scans")
    assert abs(at - datetime.now(UTC)) < timedelta(minutes=2)


async def test_reminders_of_a_driver(island: Any, phone: Phone) -> None:
    await island.add_person("driver", "wang")
    client = phone(island.url, "driver")
    await client.session.sign_in("wang", PASSWORD)
    model = Reminders(client)
    await model.refresh()
    assert (model.shown.phase, model.shown.is_empty, model.unread) == ("ready", True, 0)
    draft = await client.api.permits.create({"plate": "琼A12345"}, key="one")
    assert (await client.api.permits.create({"plate": "琼A12345"}, key="one")).row.application_id == (
        draft.row.application_id
    )
    edited = await client.api.permits.edit(draft.row.application_id, version=draft.row.version, form={"route": "A"})
    assert (edited.form.plate, edited.form.route) == ("琼A12345", "A")
    assert (await client.api.permits.check(draft.row.application_id)).problems != ()
    assert [one.application_id for one in (await client.api.permits.applications()).items] == [draft.row.application_id]


async def test_what_everybody_may_read(island: Any, phone: Phone) -> None:
    client = phone(island.url)
    terms = await client.api.people.terms("en")
    assert terms.language == "en"
    assert {one.purpose for one in terms.purposes if one.consent_needed} >= {"account"}
    rules, today = await client.api.public.rules(), await client.api.public.today()
    assert rules.day == today.day
    assert {one.key for one in await client.api.points.methods()} != set()
    assert (await client.api.public.now()).state == "never"
    assert (await client.api.public.health()).status == "ok"


# ---------------------------------------------------------------- the network watch


async def test_while_away_somebody_asks_lightly_until_the_island_answers() -> None:
    network, asked = Network(Asking(0.001, 0.004), lambda: 1.0), []

    async def ask() -> None:
        asked.append(len(asked))
        if len(asked) < 4:
            raise Offline("still away")
        network.heard("", 0.0, 0.0)

    watching = asyncio.create_task(network.watch(ask))
    await asyncio.sleep(0)
    assert (network.online, asked) == (None, [])
    network.lost()
    await until(network.changed, lambda: bool(network.online))
    assert asked == [0, 1, 2, 3]
    watching.cancel()
    await asyncio.wait([watching])


def test_turning_is_told_once() -> None:
    network, told = Network(Asking(), lambda: 0.0), []
    network.changed.connect(lambda: told.append(network.online))
    for _ in range(2):
        network.lost()
    for _ in range(2):
        network.heard("", 0.0, 0.0)
    assert told == [False, True]


# ---------------------------------------------------------------- choices of the device


def test_choices_are_kept_and_a_run_may_differ(phone: Phone) -> None:
    client = phone()
    assert (client.settings.language, client.settings.theme, client.settings.text_scale) == ("zh", "auto", 1.0)
    client.settings.language, client.settings.theme, client.settings.text_scale = "en", "dark", 9.0
    assert client.words("today") == "today"
    again = phone()
    assert (again.settings.language, again.settings.theme, again.settings.text_scale) == ("en", "dark", 1.6)
    given = phone(language="zh", theme="light", text_scale=1.2)
    assert (given.settings.language, given.settings.theme, given.settings.text_scale) == ("zh", "light", 1.2)
    assert phone().settings.language == "en"


def test_before_anything_is_chosen_the_phones_language_is_spoken(phone: Phone) -> None:
    client = phone(phone_language="en")
    assert (client.settings.language, client.words("today")) == ("en", "today")
    client.settings.language = "zh"
    assert phone(phone_language="en").settings.language == "zh"


def test_a_damaged_store_is_told_and_the_app_starts(tmp_path: Path) -> None:
    (tmp_path / "island.db").write_bytes(b"not a database" * 100)
    client = build_client(tmp_path, "http://127.0.0.1:9", "visitor")
    assert client.mended_from == tmp_path / "island.db.damaged-1"
    client.store.close()


@pytest.mark.parametrize("times", [1, 2])
def test_a_signal_tells_whoever_listens_now(times: int) -> None:
    signal, heard = Signal(), []
    stops = [signal.connect(lambda: heard.append("a"))]
    stops.append(signal.connect(lambda: stops[2]()))
    stops.append(signal.connect(lambda: heard.append("c")))
    signal.emit()
    assert heard == ["a"]
    for _ in range(times):
        stops[0]()
    signal.emit()
    assert heard == ["a"]


async def test_a_listener_that_fails_keeps_nothing_from_the_others() -> None:
    signal, heard, reported = Signal(), [], []

    def fails() -> None:
        raise ValueError("a mistake")

    signal.connect(fails)
    signal.connect(lambda: heard.append("told"))
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, said: reported.append(said["exception"]))
    signal.emit()
    assert heard == ["told"]
    assert [str(one) for one in reported] == ["a mistake"]


def test_a_listener_that_fails_without_a_loop_is_logged_without_its_values(caplog: pytest.LogCaptureFixture) -> None:
    signal = Signal()

    def fails() -> None:
        raise ValueError("a secret")

    signal.connect(fails)
    signal.emit()
    assert caplog.messages == ["a listener failed: ValueError"]


async def test_nothing_is_tidied_by_a_clock_that_nobody_confirmed(tmp_path: Path) -> None:
    tidied = []
    client = build_client(tmp_path, "http://127.0.0.1:9", "visitor", wall=lambda: AT + timedelta(days=900))
    client.store.tidy = tidied.append  # type: ignore[method-assign]
    await client.start()
    for _ in range(5):
        await asyncio.sleep(0)
    assert tidied == []
    mono_s = device_mono()
    for one in (client.clock, client.network):
        one.heard(AT.strftime("%a, %d %b %Y %H:%M:%S GMT"), mono_s - 0.1, mono_s)
    async with asyncio.timeout(30):
        while not tidied:
            await asyncio.sleep(0.01)
    await client.stop()
    assert abs(tidied[0] + timedelta(days=KEEP_DAYS) - AT) < timedelta(minutes=2)
