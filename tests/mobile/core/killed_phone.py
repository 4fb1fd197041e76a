"""A phone that dies: `killed_phone.py FOLDER URL STEP...` hands three codes and a walk in, and kills itself on the way.

For each STEP it opens a new phone, sends itself SIGKILL at that step (a statement of the store, or a request's way out
or back), opens the phone again and lets it finish. A line on stdout says what the person was told.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from mobile.core.api.calling import TokenPair
from mobile.core.api.transport import HttpTransport
from mobile.core.api.wire import Request, Response
from mobile.core.client import Client, Tuning, build_client
from mobile.core.outbox import Backoff, Entry
from mobile.core.secrets_file import SecretsFile

PERSON = {"account_id": "mei", "user_id": "1", "username": "mei", "name": "Mei", "role": "visitor", "may": ["earn"]}


class Steps:
    """Counts steps, and dies at one of them."""

    def __init__(self, last: int | None) -> None:
        self._left = last

    def __call__(self, *_: object) -> None:
        if self._left is None:
            return
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self._left -= 1


class MortalTransport(HttpTransport):
    """The real one, with steps on both sides of a request."""

    def __init__(self, base_url: str, step: Callable[[], None]) -> None:
        super().__init__(base_url, Tuning().limits)
        self._step = step

    async def send(self, request: Request) -> Response:
        self._step()
        response = await super().send(request)
        self._step()
        return response


def phone(folder: Path, url: str, step: Steps) -> Client:
    tuning = Tuning(backoff=Backoff(first_s=0.0, most_s=0.0))
    client = build_client(folder, url, "visitor", transport=MortalTransport(url, step), tuning=tuning)

    async def scan(entry: Entry) -> Any:
        at = datetime.fromisoformat(entry.body["scanned_at"])
        return await client.api.points.scan(entry.body["text"], at, key=entry.key)

    async def walk(entry: Entry) -> Any:
        at = datetime.fromisoformat(entry.body["at"])
        later = at + timedelta(minutes=20)
        return await client.api.points.walk(started_at=at, ended_at=later, distance_km="1.2", steps=1800, key=entry.key)

    def prepared(body: dict[str, Any]) -> dict[str, Any]:
        return body | {"scanned_at": client.clock.now().isoformat()}

    client.outbox.register("scan", scan, prepare=prepared)
    client.outbox.register("walk", walk)
    client.store.database.rows("SELECT 1")
    # The connection tells each statement before it runs: also the commit that makes a change durable.
    client.store.database._connection.set_trace_callback(step)
    return client


async def used(folder: Path, url: str, told: int, step: Steps) -> None:
    """What the person does; `told` is where it is written that they were told "kept"."""
    client = phone(folder, url, step)
    for number in range(3):
        _tell(told, client.outbox.put("scan", {"text": f"code {number}"}).key)
        if number == 1:
            _tell(told, client.outbox.put("walk", {"at": datetime.now(UTC).isoformat()}).key)
        await client.outbox.turn()
    await client.stop()


async def finished(folder: Path, url: str) -> dict[str, Any]:
    """The phone opened again, until nothing waits."""
    client = phone(folder, url, Steps(None))
    while client.outbox.waiting:
        await client.outbox.turn()
    entries = client.outbox.entries()
    await client.stop()
    return {"sent": [one.key for one in entries if one.state == "sent"], "all": [one.key for one in entries]}


def _tell(told: int, key: str) -> None:
    os.write(told, f"{key}\n".encode())


def child(run: Callable[[], None]) -> int:
    """Runs it in a process of its own; the signal that ended it, or 0."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            run()
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(pid, 0)
    assert not os.WIFEXITED(status) or os.WEXITSTATUS(status) == 0, "the phone failed"
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


def _sign_in(place: Path, url: str, pair: TokenPair) -> None:
    secrets = SecretsFile(place / "secrets-visitor.json", url)
    secrets.take(pair)
    secrets.keep(PERSON)


def main(folder: Path, url: str, steps: list[int]) -> None:
    pair = TokenPair("access", "refresh", 900, datetime.now(UTC) + timedelta(days=1))
    # A first life loads everything that a request needs, so that each child does not load it again.
    _sign_in(folder / "warm", url, pair)
    asyncio.run(used(folder / "warm", url, os.open(os.devnull, os.O_WRONLY), Steps(None)))
    for number in steps:
        place = folder / f"phone-{number}"
        _sign_in(place, url, pair)
        told_path = place / "told"
        told = os.open(told_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        ended_by = child(lambda: asyncio.run(used(place, url, told, Steps(number))))  # noqa: B023  (runs at once)
        os.close(told)
        after_path = place / "after.json"
        child(lambda: after_path.write_text(json.dumps(asyncio.run(finished(place, url)))) and None)  # noqa: B023
        after = json.loads(after_path.read_text())
        line = {"step": number, "killed": ended_by == signal.SIGKILL, "told": told_path.read_text().split()}
        print(json.dumps(line | after), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], [int(one) for one in sys.argv[3:]])
