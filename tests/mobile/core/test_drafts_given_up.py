"""Drafts that leave the phone: handed in in one step, and thrown away with what the server has of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mobile.core.client import Client
from mobile.core.errors import ApiProblem, Offline, StoreError
from mobile.core.models.application_draft import APPLICATION, Draft, Drafts
from mobile.core.models.applications import Applications, Part, can_discard, discard

PASSWORD = "a long enough password"


@pytest.fixture
def client(phone: Callable[..., Client]) -> Client:
    made = phone(role="driver")
    made.store.account = "wu"
    return made


def draft_of(client: Client, **form: Any) -> Draft:
    drafts = Drafts(client)
    draft = drafts.new({"plate": "琼C61K28", **form})
    return drafts.add_paper(draft, b"%PDF-1", kind="contract", name="a.pdf", media_type="application/pdf")


class Refusing:
    """SQLite as it is, but one statement fails."""

    def __init__(self, connection: Any, begin: str) -> None:
        self._connection, self._begin = connection, begin

    def execute(self, sql: str, *values: Any) -> Any:
        if sql.startswith(self._begin):
            raise StoreError("no room")
        return self._connection.execute(sql, *values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


def test_handing_in_keeps_the_draft_or_sends_it_and_never_both(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    drafts, draft, database = Drafts(client), draft_of(client), client.store.database
    with monkeypatch.context() as patched:
        patched.setattr(database, "_connection", Refusing(database._connection, "DELETE FROM drafts"))
        with pytest.raises(StoreError):
            drafts.hand_in(draft)
    assert (drafts.all(), client.outbox.entries()) == ((draft,), ())
    entry = drafts.hand_in(draft)
    assert (drafts.all(), drafts.get(draft.draft_id), client.outbox.entries()) == ((), None, (entry,))


def test_the_same_draft_is_handed_in_once_however_often_it_is_pressed(client: Client) -> None:
    drafts, draft = Drafts(client), draft_of(client)
    entry = drafts.hand_in(draft)
    assert drafts.hand_in(draft) == entry
    changed = drafts.hand_in(drafts.change(draft, purpose_text="another crane"))
    assert [one.entry_id for one in client.outbox.entries(APPLICATION)] == [entry.entry_id, changed.entry_id]


async def test_what_was_taken_is_not_offered_again_when_the_memory_fails_then(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    drafts, draft = Drafts(client), draft_of(client)

    async def taken(_: Any) -> None:
        return None

    client.outbox.register(APPLICATION, taken)
    client.outbox.resume()
    entry = drafts.hand_in(draft)
    client.store.draft_put(f"application/{draft.draft_id}", entry.body)  # as older versions left it after a kill
    await client.outbox.turn()
    with monkeypatch.context() as patched:
        patched.setattr(client.store, "draft_drop", lambda _: (_ for _ in ()).throw(StoreError("no room")))
        with pytest.raises(StoreError):
            drafts.tidy()
    assert [one.state for one in client.outbox.entries(APPLICATION)] == ["sent"]
    assert drafts.all() == ()
    drafts.tidy()
    assert (drafts.all(), client.outbox.entries(), client.store.drafts()) == ((), (), {})


# ---------------------------------------------------------------- what the server has


async def signed_in(island: Any, phone: Callable[..., Client]) -> Client:
    await island.add_person("driver")
    client = phone(island.url, "driver")
    await client.session.sign_in("driver", PASSWORD)
    return client


async def test_a_draft_of_the_server_goes_from_every_list(island: Any, phone: Callable[..., Client]) -> None:
    client = await signed_in(island, phone)
    kept, gone = [(await client.api.permits.create({"plate": "琼C61K28"}, key=key)).row for key in ("k" * 16, "g" * 16)]
    listed, drafts = Applications(client), Drafts(client)
    await listed.refresh()
    assert [can_discard(row) for row in listed.of(Part.TO_DO)] == [True, True]
    drafts.of(await client.api.permits.application(gone.application_id))
    await discard(client, gone.application_id)
    await discard(client, gone.application_id)  # as after a lost answer
    assert [row.application_id for row in listed.of(Part.TO_DO)] == [kept.application_id]
    assert drafts.all() == ()
    again = Applications(client)
    await again.refresh()
    assert [row.application_id for row in again.of(Part.TO_DO)] == [kept.application_id]


async def test_without_a_network_or_once_it_is_with_the_office_it_stays(
    island: Any, phone: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await signed_in(island, phone)
    record = await client.api.permits.create({"plate": "琼C61K28"}, key="k" * 16)
    number, drafts = record.row.application_id, Drafts(client)
    mine = drafts.of(record)

    async def away(_: str) -> None:
        raise Offline("away")

    with monkeypatch.context() as patched:
        patched.setattr(client.api.permits, "discard", away)
        with pytest.raises(Offline):
            await discard(client, number)
    await island.given.pool.execute("UPDATE applications SET status = 'submitted'")
    with pytest.raises(ApiProblem, match="not_a_draft"):
        await discard(client, number)
    assert [one.draft_id for one in drafts.all()] == [mine.draft_id]
