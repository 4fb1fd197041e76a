"""What was confirmed to a person is sent once, in its order, whatever happens on the way."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mobile.core.api.parsing import Unreadable
from mobile.core.database import Database
from mobile.core.errors import ApiProblem, BadAnswer, FileGone, Offline, SignedOut, StoreFull
from mobile.core.outbox import Backoff, Entry, Outbox
from mobile.core.store import Store

AT = datetime(2026, 11, 21, 2, 42, 31, tzinfo=UTC)
ROOT = Path(__file__).parents[3]
PHONE = Path(__file__).with_name("killed_phone.py")
REFUSED = ApiProblem("points_refused", zh="不行", en="No", status=409)


class Phone:
    """An outbox whose time stands still, and a server that answers as it is told."""

    def __init__(self, store: Store) -> None:
        store.account = "mei"
        self.store = store
        self.mono_s = 0.0
        self.sent: list[tuple[str, str]] = []  # (key, body) of every try
        self.taken: dict[str, Any] = {}  # by key, as an idempotent server counts
        self.outcomes: list[Any] = []
        self.outbox = self.opened()

    def opened(self) -> Outbox:
        made = Outbox(
            self.store, now=lambda: AT, mono=lambda: self.mono_s, draw=lambda: 1.0, backoff=Backoff(2.0, 60.0)
        )
        for kind in ("scan", "walk"):
            made.register(kind, self.send)
        return made

    async def send(self, entry: Entry) -> Any:
        self.sent.append((entry.key, json.dumps(entry.body)))
        outcome = self.outcomes.pop(0) if self.outcomes else "ok"
        if outcome == "lost":
            raise Offline("before it arrived")
        if isinstance(outcome, Exception):
            raise outcome
        self.taken.setdefault(entry.key, entry.body)
        if outcome == "unanswered":
            raise Offline("after it arrived")
        return {"took": entry.body}


@pytest.fixture
def phone(tmp_path: Path) -> Iterator[Phone]:
    store = Store(Database(tmp_path / "island.db"))
    yield Phone(store)
    store.close()


def states(outbox: Outbox) -> list[str]:
    return [one.state for one in outbox.entries()]


async def test_what_is_put_is_sent_once_and_its_answer_kept(phone: Phone) -> None:
    changes = []
    phone.outbox.changed.connect(lambda: changes.append(phone.outbox.waiting))
    entry = phone.outbox.put("scan", {"text": "A"})
    assert (entry.state, phone.outbox.waiting) == ("waiting", 1)
    assert await phone.outbox.turn() is None
    assert await phone.outbox.turn() is None
    found = phone.outbox.entry(entry.entry_id)
    assert found is not None
    assert (found.state, found.answer, found.tries) == ("sent", {"took": {"text": "A"}}, 1)
    assert phone.sent == [(entry.key, '{"text": "A"}')]
    assert changes == [1, 0]


async def test_a_lost_answer_is_asked_for_again_with_the_same_key(phone: Phone) -> None:
    entry = phone.outbox.put("scan", {"text": "A"})
    phone.outcomes = ["unanswered", "lost"]
    assert await phone.outbox.turn() == 2.0
    waiting = phone.outbox.entry(entry.entry_id)
    assert waiting is not None
    assert waiting.problem is not None
    assert (waiting.state, waiting.problem.code) == ("waiting", "offline")
    phone.mono_s = 1.9
    await phone.outbox.turn()
    assert len(phone.sent) == 1
    phone.mono_s = 2.0
    assert await phone.outbox.turn() == 4.0
    phone.mono_s = 6.0
    assert await phone.outbox.turn() is None
    assert [key for key, _ in phone.sent] == [entry.key] * 3
    assert states(phone.outbox) == ["sent"]


async def test_waits_grow_up_to_a_bound() -> None:
    backoff = Backoff(2.0, 60.0)
    assert [backoff.wait_s(tries, 1.0) for tries in (1, 2, 3, 6, 900)] == [2.0, 4.0, 8.0, 60.0, 60.0]
    assert backoff.wait_s(3, 0.25) == 2.0


async def test_a_server_that_asks_for_time_gets_it(phone: Phone) -> None:
    phone.outbox.put("scan", {})
    phone.outcomes = [ApiProblem("too_many_requests", status=429, retry_after_s=45.0)]
    assert await phone.outbox.turn() == 45.0


async def test_order_within_a_kind_and_none_between_kinds(phone: Phone) -> None:
    first, second = phone.outbox.put("scan", {"n": 1}), phone.outbox.put("scan", {"n": 2})
    walk = phone.outbox.put("walk", {"n": 3})
    phone.outcomes = ["lost"]
    await phone.outbox.turn()
    assert [key for key, _ in phone.sent] == [first.key, walk.key]
    phone.outbox.retry_now()
    await phone.outbox.turn()
    assert [key for key, _ in phone.sent][2:] == [first.key, second.key]


async def test_a_refusal_is_kept_until_it_was_read_and_stops_nobody(phone: Phone) -> None:
    refused, sent = phone.outbox.put("scan", {"n": 1}), phone.outbox.put("scan", {"n": 2})
    phone.outcomes = [REFUSED]
    await phone.outbox.turn()
    assert states(phone.outbox) == ["refused", "sent"]
    (told,) = phone.outbox.entries(state="refused")
    assert told.problem is not None
    assert (told.problem.code, told.problem.zh, told.problem.status) == ("points_refused", "不行", 409)
    assert phone.outbox.dismiss(told.entry_id)
    assert not phone.outbox.dismiss(told.entry_id)
    assert phone.outbox.entry(refused.entry_id) is None
    assert phone.outbox.entry(sent.entry_id) is not None


async def test_only_what_was_never_tried_is_taken_back(phone: Phone) -> None:
    first, second = phone.outbox.put("scan", {"n": 1}), phone.outbox.put("scan", {"n": 2})
    phone.outcomes = ["lost"]
    await phone.outbox.turn()
    assert not phone.outbox.withdraw(first.entry_id)
    assert phone.outbox.withdraw(second.entry_id)
    assert phone.outbox.waiting == 1


async def test_what_is_prepared_is_prepared_once(phone: Phone) -> None:
    made: list[int] = []

    def prepare(body: dict[str, Any]) -> dict[str, Any]:
        made.append(1)
        return body | {"scanned_at": len(made)}

    outbox = Outbox(phone.store, now=lambda: AT, mono=lambda: 0.0, draw=lambda: 0.0, backoff=Backoff())
    outbox.register("scan", phone.send, prepare=prepare)
    outbox.put("scan", {"text": "A"})
    phone.outcomes = ["unanswered", "lost"]
    for _ in range(3):
        await outbox.turn()
    assert {body for _, body in phone.sent} == {'{"text": "A", "scanned_at": 1}'}
    assert len(phone.sent) == 3


async def test_what_cannot_be_prepared_yet_waits_and_was_not_tried(phone: Phone) -> None:
    is_known: list[bool] = []

    def prepare(body: dict[str, Any]) -> dict[str, Any]:
        if not is_known:
            raise Offline("the time is not known")
        return body | {"scanned_at": 1}

    outbox = Outbox(phone.store, now=lambda: AT, mono=lambda: phone.mono_s, draw=lambda: 1.0, backoff=Backoff())
    outbox.register("scan", phone.send, prepare=prepare)
    entry = outbox.put("scan", {})
    assert await outbox.turn() == 1.0
    found = outbox.entry(entry.entry_id)
    assert found is not None
    assert (found.state, found.tries, found.is_prepared) == ("waiting", 0, False)
    is_known.append(True)
    phone.mono_s = 1.0
    await outbox.turn()
    assert phone.sent == [(entry.key, '{"scanned_at": 1}')]


async def test_an_answer_that_this_app_cannot_read_is_asked_for_again(phone: Phone) -> None:
    phone.outbox.put("scan", {})
    phone.outcomes = [BadAnswer("bad_answer", status=200)]
    assert await phone.outbox.turn() == 2.0
    (waiting,) = phone.outbox.entries(state="waiting")
    assert waiting.problem is not None
    assert waiting.problem.code == "bad_answer"


async def test_nothing_is_sent_as_somebody_else(phone: Phone) -> None:
    phone.outbox.put("scan", {"of": "mei"})
    phone.store.account = "li"
    assert phone.outbox.waiting == 0
    await phone.outbox.turn()
    assert phone.sent == []
    phone.store.account = "mei"
    await phone.outbox.turn()
    assert len(phone.sent) == 1


async def test_without_a_sign_in_everything_waits(phone: Phone) -> None:
    phone.outbox.put("scan", {})
    phone.outcomes = [SignedOut("token_reused", status=401)]
    assert await phone.outbox.turn() is None
    assert await phone.outbox.turn() is None
    assert (len(phone.sent), states(phone.outbox)) == (1, ["waiting"])
    phone.outbox.resume()
    await phone.outbox.turn()
    assert states(phone.outbox) == ["sent"]


async def test_what_is_being_sent_stays_when_somebody_leaves(phone: Phone) -> None:
    begun, never = asyncio.Event(), asyncio.Event()

    async def slow(entry: Entry) -> None:
        begun.set()
        await never.wait()

    outbox = Outbox(phone.store, now=lambda: AT, mono=lambda: 0.0, draw=lambda: 0.0, backoff=Backoff())
    outbox.register("scan", slow)
    running = asyncio.create_task(outbox.run())
    entry = outbox.put("scan", {})
    await begun.wait()
    await outbox.rest()
    found = outbox.entry(entry.entry_id)
    assert found is not None
    assert (found.state, found.tries, found.key) == ("waiting", 1, entry.key)
    running.cancel()
    await asyncio.wait([running])


async def test_a_mistake_of_ours_in_one_kind_leaves_the_others_alone(phone: Phone, caplog: Any) -> None:
    async def wrong(entry: Entry) -> None:
        raise KeyError("a mistake")

    phone.outbox.register("photo", wrong)
    phone.outbox.put("photo", {})
    phone.outbox.put("scan", {})
    assert await phone.outbox.turn() == 60.0
    assert states(phone.outbox) == ["waiting", "sent"]
    assert "sending photo failed" in caplog.text


async def test_a_kind_that_nobody_sends_yet_waits(phone: Phone) -> None:
    phone.outbox.put("later", {})
    assert await phone.outbox.turn() is None
    assert phone.outbox.waiting == 1


async def test_run_sends_what_comes_and_tries_again(phone: Phone) -> None:
    outbox = Outbox(phone.store, now=lambda: AT, mono=lambda: 0.0, draw=lambda: 0.0, backoff=Backoff())
    outbox.register("scan", phone.send)
    running = asyncio.create_task(outbox.run())
    phone.outcomes = ["lost", "unanswered"]
    first = outbox.put("scan", {"n": 1})
    found = await outbox.settled(first.entry_id, 30.0)
    assert found is not None
    assert (found.state, found.tries) == ("sent", 3)
    running.cancel()
    await asyncio.wait([running])


async def test_an_answer_that_does_not_come_in_time_is_not_waited_for(phone: Phone) -> None:
    entry = phone.outbox.put("scan", {})
    found = await phone.outbox.settled(entry.entry_id, 0.01)
    assert found is not None
    assert found.state == "waiting"


async def test_without_room_nothing_is_promised(phone: Phone) -> None:
    with phone.store.database.change() as change:
        pages = change.execute("PRAGMA page_count").fetchone()[0]
        change.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreFull):
        phone.outbox.put("scan", {"text": "x" * 100_000})
    assert phone.outbox.entries() == ()


@pytest.mark.parametrize(
    ("mistake", "code"), [(FileGone("the paper"), "file_gone"), (Unreadable("the body"), "bad_answer")]
)
async def test_what_can_never_be_sent_is_told_and_blocks_nothing(phone: Phone, mistake: Exception, code: str) -> None:
    phone.outcomes = [mistake]
    phone.outbox.put("scan", {"text": "A"})
    phone.outbox.put("scan", {"text": "B"})
    await phone.outbox.turn()
    first, second = phone.outbox.entries()
    assert (first.state, first.problem and first.problem.code, second.state) == ("refused", code, "sent")


OUTCOMES = st.sampled_from(["ok", "lost", "unanswered", REFUSED, ApiProblem("database_away", status=503)])
STEPS = st.lists(st.tuples(st.sampled_from(["scan", "walk", "turn", "open again"]), OUTCOMES), max_size=16)


async def test_whatever_happens_everything_is_counted_once_and_in_order(phone: Phone) -> None:
    async def lived(steps: list[tuple[str, Any]]) -> None:
        phone.store.forget_account("mei")
        phone.sent, phone.taken, phone.outcomes = [], {}, [outcome for _, outcome in steps]
        phone.outbox = phone.opened()
        put: dict[str, list[str]] = {"scan": [], "walk": []}
        for number, (step, _) in enumerate(steps):
            if step in put:
                put[step].append(phone.outbox.put(step, {"n": number}).key)
            elif step == "turn":
                phone.mono_s += 1000.0
                await phone.outbox.turn()
            else:
                phone.outbox = phone.opened()
        phone.outcomes = []
        phone.mono_s += 1000.0
        await phone.outbox.turn()
        sent = {kind: [one.key for one in phone.outbox.entries(kind, "sent")] for kind in put}
        refused = [one.key for one in phone.outbox.entries(state="refused")]
        assert phone.outbox.waiting == 0
        assert sorted([*sent["scan"], *sent["walk"], *refused]) == sorted([*put["scan"], *put["walk"]])
        assert {*sent["scan"], *sent["walk"]} <= phone.taken.keys()
        for kind, keys in put.items():
            first_tries = list(dict.fromkeys(key for key, _ in phone.sent if key in keys))
            assert first_tries == keys, kind
        assert all(count == 1 for count in Counter(key for key, _ in set(phone.sent)).values())

    loop = asyncio.get_running_loop()

    @settings(max_examples=15)
    @given(steps=STEPS)
    def holds(steps: list[tuple[str, Any]]) -> None:
        asyncio.run_coroutine_threadsafe(lived(steps), loop).result()

    await asyncio.to_thread(holds)


# ---------------------------------------------------------------- killed


class Counting(ThreadingHTTPServer):
    """Counts what it takes by key, as the island does; every second new key it leaves without an answer."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Taking)
        self.lock = threading.Lock()
        self.taken: dict[str, bytes] = {}
        self.differing: list[str] = []

    def take(self, key: str, body: bytes) -> bool:
        with self.lock:
            is_new = key not in self.taken
            if self.taken.setdefault(key, body) != body:
                self.differing.append(key)
            return not (is_new and len(self.taken) % 2 == 0)


class _Taking(BaseHTTPRequestHandler):
    server: Counting

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if not self.server.take(self.headers["Idempotency-Key"], body):
            self.close_connection = True
            return
        answer = {"scan_id": "1", "state": "granted", "points": 1, "grams": 2, "key": "", "reason": ""}
        content = json.dumps(answer | {"sentence_zh": "", "sentence_en": ""}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Nobody reads it."""


@pytest.fixture
def counting() -> Iterator[Counting]:
    with Counting() as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.05,))
        serving.start()
        yield server
        server.shutdown()
        serving.join()


STEPS_OF_DEATH = [*range(2, 70, 8)]  # a whole life has about eighty


def killed_at(folder: Path, server: Counting, steps: list[int]) -> list[dict[str, Any]]:
    url = f"http://127.0.0.1:{server.server_address[1]}"
    done = subprocess.run(
        [sys.executable, "-W", "error", str(PHONE), str(folder), url, *map(str, steps)],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_killed_at_any_step_nothing_is_lost_and_nothing_counts_twice(tmp_path: Path, counting: Counting) -> None:
    lives = killed_at(tmp_path, counting, STEPS_OF_DEATH)
    assert len(lives) == len(STEPS_OF_DEATH)
    for life in lives:
        assert set(life["told"]) <= set(life["sent"]), life
        assert life["sent"] == life["all"], life
        # A row that is there although nobody was told yet is sent too: at most the one that was being kept.
        assert len(set(life["sent"]) - set(life["told"])) <= 1, life
    assert counting.differing == []
    every = [key for life in lives for key in life["sent"]]
    assert len(set(every)) == len(every)
    assert set(every) <= counting.taken.keys()
    assert len(counting.taken) == len(every) + 4  # those of the first life, which was not killed
    assert all(life["killed"] for life in lives)
