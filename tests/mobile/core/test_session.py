"""Signing in and out against the real cloud, and who sees what on one phone."""

from __future__ import annotations

import asyncio
import json
import stat
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from mobile.core.api.calling import Held
from mobile.core.api.late import LateTransport, Limits
from mobile.core.api.people import Registration
from mobile.core.api.wire import Request, Response
from mobile.core.client import Client
from mobile.core.errors import ApiProblem, Offline, SignedOut, StoreFull
from mobile.core.models.account import AccessLog, Account
from mobile.core.models.sign_in import Register, SignIn

PASSWORD = "a long enough password"
Phone = Callable[..., Client]


class Counted:
    """The real transport, which counts, and can be cut before or after the server."""

    def __init__(self, url: str) -> None:
        self.real = LateTransport(url, Limits())
        self.asked: list[str] = []
        self.cut: str = ""

    async def send(self, request: Request) -> Response:
        self.asked.append(f"{request.method} {request.target}")
        if self.cut == "before":
            raise Offline("cut")
        response = await self.real.send(request)
        if self.cut == "after":
            raise Offline("cut")
        return response

    async def close(self) -> None:
        await self.real.close()


async def test_signing_in_and_coming_back(island: Any, phone: Phone, tmp_path: Path) -> None:
    user_id = await island.add_person("visitor", "mei", "梅")
    client = phone(island.url)
    person = await client.session.sign_in("mei", PASSWORD)
    assert (person.user_id, person.name, person.role, "earn" in person.may) == (user_id, "梅", "visitor", True)
    assert client.network.online
    assert client.clock.stamp().doubt_s < 60.0
    kept = tmp_path / "phone" / "secrets-visitor.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    # The app opened again knows who is there without asking anybody.
    again = phone(island.url)
    assert again.session.person == person
    assert again.session.is_signed_in
    assert again.network.online is None
    # Another server gets none of it.
    elsewhere = phone("http://127.0.0.1:9")
    assert (elsewhere.session.person, elsewhere.session.is_signed_in) == (None, False)


async def test_a_wrong_password_leaves_everything_as_it_was(island: Any, phone: Phone) -> None:
    await island.add_person("visitor", "mei")
    client = phone(island.url)
    await client.session.sign_in("mei", PASSWORD)
    model = SignIn(client)
    assert not await model.go("mei", "wrong")
    assert model.problem is not None
    assert (model.problem.code, model.problem.sentence(client.words)) == ("wrong_credentials", "用户名或密码不对。")
    assert client.session.is_signed_in
    assert await model.go(" mei ", PASSWORD)


async def test_each_role_has_its_app(island: Any, phone: Phone) -> None:
    await island.add_person("visitor", "mei")
    await island.add_person("driver", "wang")
    drivers, visitors = phone(island.url, "driver", folder="one"), phone(island.url, folder="two")
    with pytest.raises(ApiProblem) as refused:
        await drivers.session.sign_in("mei", PASSWORD)
    assert refused.value.code == "role_differs"
    assert not drivers.session.is_signed_in
    await drivers.session.sign_in("wang", PASSWORD)
    await visitors.session.sign_in("wang", PASSWORD)  # drivers earn points too


async def test_opening_an_account_with_consent(island: Any, phone: Phone) -> None:
    client = phone(island.url)
    register = Register(client)
    assert not await register.go("short")
    assert {one.field for one in register.mistakes} == {"username", "password", "is_old_enough", "agrees_terms"}
    register.filled.username, register.filled.name = "mei", "梅"
    register.filled.is_old_enough = register.filled.agrees_terms = register.filled.agrees_contact = True
    register.filled.phone = "13800138000"
    assert await register.go(PASSWORD), register.problem
    account = Account(client)
    await account.refresh()
    me = account.shown.value
    assert me is not None
    assert (me.username, me.phone) == ("mei", "13800138000")
    assert account.consent("contact") is not None
    assert await account.set_consent("contact", given=False)
    assert account.shown.value is not None
    assert account.shown.value.phone == ""
    assert not await account.set_consent("terms", given=False)
    assert account.act_problem is not None
    assert account.act_problem.code == "consent_needed"


async def test_a_child_comes_with_a_guardian(island: Any, phone: Phone) -> None:
    await island.add_person("visitor", "li")
    guardian = phone(island.url, folder="guardian")
    await guardian.session.sign_in("li", PASSWORD)
    grown_up = Account(guardian)
    assert await grown_up.make_guardian_code()
    assert grown_up.guardian_code is not None
    child = Register(phone(island.url, folder="child"))
    child.filled.username, child.filled.agrees_terms = "xiaomei", True
    child.filled.born_on = grown_up.client.words.today() - timedelta(days=365 * 9)
    assert not await child.go(PASSWORD)
    assert [one.field for one in child.mistakes] == ["guardian_code"]
    child.filled.guardian_code = f" {grown_up.guardian_code.code} "
    assert await child.go(PASSWORD), child.problem
    await grown_up.refresh()
    assert grown_up.shown.value is not None
    (ward,) = grown_up.shown.value.wards
    assert await grown_up.release_ward(ward.user_id)
    assert grown_up.shown.value.wards == ()


async def test_stale_tokens_are_renewed_in_one_flight(island: Any, phone: Phone) -> None:
    await island.add_person("visitor", "mei")
    transport = Counted(island.url)
    client = phone(island.url, transport=transport)
    await client.session.sign_in("mei", PASSWORD)
    island.clock.by += timedelta(hours=1)
    found = await asyncio.gather(*(client.api.points.me() for _ in range(4)))
    assert [one.balance for one in found] == [0, 0, 0, 0]
    assert transport.asked.count("POST /api/v1/auth/refresh") == 1


async def test_a_lost_renewal_is_asked_for_again(island: Any, phone: Phone) -> None:
    await island.add_person("visitor", "mei")
    transport = Counted(island.url)
    client = phone(island.url, transport=transport)
    await client.session.sign_in("mei", PASSWORD)
    island.clock.by += timedelta(hours=1)

    async def lose_renewal(request: Request) -> Response:
        response = await LateTransport.send(transport.real, request)
        if request.target.endswith("/auth/refresh") and not transport.cut:
            transport.cut = "done"
            raise Offline("the answer is lost")
        return response

    transport.real.send = lose_renewal  # type: ignore[method-assign]
    with pytest.raises(Offline):
        await client.api.points.me()
    assert client.session.is_signed_in
    assert (await client.api.points.me()).balance == 0


async def test_a_stolen_token_ends_the_sign_in_and_loses_nothing(island: Any, phone: Phone, tmp_path: Path) -> None:
    await island.add_person("visitor", "mei")
    client = phone(island.url)
    client.outbox.register("scan", lambda entry: client.api.points.scan("x", client.clock.now(), key=entry.key))
    person = await client.session.sign_in("mei", PASSWORD)
    client.store.cache_put("points/me", {"balance": 3}, client.clock.now())
    stolen = json.loads((tmp_path / "phone" / "secrets-visitor.json").read_text())["pair"]["refresh_token"]
    await client.api.people.refresh(stolen)
    island.clock.by += timedelta(hours=1)
    client.outbox.put("scan", {})
    await client.outbox.turn()
    assert (client.session.is_signed_in, client.session.ended) == (False, "token_reused")
    # Their screens stay readable, and what waits waits for them.
    assert client.session.person == person
    assert client.store.cache_get("points/me") is not None
    assert client.outbox.waiting == 1
    assert "为安全" in SignIn(client).ended
    with pytest.raises(SignedOut):
        await client.api.points.me()
    await client.session.sign_in("mei", PASSWORD)
    await client.outbox.turn()
    assert (client.session.ended, client.outbox.waiting) == ("", 0)


async def test_the_next_person_sees_and_sends_nothing_of_the_first(island: Any, phone: Phone) -> None:
    await island.add_person("visitor", "mei")
    await island.add_person("visitor", "li")
    transport = Counted(island.url)
    client = phone(island.url, transport=transport)
    client.outbox.register("scan", lambda entry: client.api.points.scan("x", client.clock.now(), key=entry.key))
    await client.session.sign_in("mei", PASSWORD)
    account = Account(client)
    await account.refresh()
    client.outbox.put("scan", {})
    await client.session.sign_out()
    assert (client.session.person, client.outbox.waiting, account.shown.value) == (None, 0, None)
    await client.session.sign_in("li", PASSWORD)
    await client.outbox.turn()
    assert account.shown.value is None
    assert transport.asked.count("POST /api/v1/points/scans") == 0
    await client.session.sign_in("mei", PASSWORD)
    assert account.shown.value is not None
    assert account.shown.value.username == "mei"
    await client.outbox.turn()
    assert transport.asked.count("POST /api/v1/points/scans") == 1


async def test_signing_out_works_without_a_network(island: Any, phone: Phone) -> None:
    await island.add_person("visitor", "mei")
    transport = Counted(island.url)
    client = phone(island.url, transport=transport)
    await client.session.sign_in("mei", PASSWORD)
    transport.cut = "before"
    await client.session.sign_out()
    assert not client.session.is_signed_in
    with pytest.raises(Offline):
        await client.session.sign_in("mei", PASSWORD)
    with pytest.raises(SignedOut):
        await client.api.points.me()


async def test_a_sign_in_that_breaks_off_half_way_is_none(island: Any, phone: Phone) -> None:
    await island.add_person("visitor", "mei")
    transport = Counted(island.url)
    client = phone(island.url, transport=transport)

    async def cut_after_tokens(request: Request) -> Response:
        response = await LateTransport.send(transport.real, request)
        transport.cut = "before"
        return response

    transport.real.send = cut_after_tokens  # type: ignore[method-assign]
    with pytest.raises(Offline):
        await client.session.sign_in("mei", PASSWORD)
    assert (client.session.is_signed_in, client.session.person) == (False, None)


async def test_everything_of_an_account_leaves_with_it(island: Any, phone: Phone, tmp_path: Path) -> None:
    await island.add_person("visitor", "mei")
    client = phone(island.url)
    await client.session.sign_in("mei", PASSWORD)
    account = Account(client)
    await account.refresh()
    copy = await account.export_to(tmp_path / "copies")
    assert copy is not None
    assert "mei" in copy.read_text()
    log = AccessLog(client)
    await log.refresh()
    assert (log.shown.phase, log.shown.is_empty, log.has_more) == ("ready", True, False)
    client.files.keep(b"a picture")
    assert await account.export_to(client.papers_dir) is not None
    assert not await account.delete("wrong")
    assert account.act_problem is not None
    assert account.act_problem.code == "wrong_credentials"
    assert await account.delete(PASSWORD)
    assert client.session.person is None
    assert client.store.database.row("SELECT count(*) AS n FROM cache WHERE account <> ''")["n"] == 0
    assert [one for one in (tmp_path / "phone" / "files").rglob("*") if one.is_file()] == []
    with pytest.raises(ApiProblem):
        await client.session.sign_in("mei", PASSWORD)


async def test_signing_out_needs_no_room(
    island: Any, phone: Phone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*_: Any) -> None:
        raise StoreFull("no room")

    await island.add_person("visitor", "mei")
    client, told = phone(island.url), []
    await client.session.sign_in("mei", PASSWORD)
    client.session.changed.connect(lambda: told.append(client.session.is_signed_in))
    monkeypatch.setattr("mobile.core.secrets_file.write_whole", no_room)
    await client.session.sign_out()
    assert told == [False]
    assert not (tmp_path / "phone" / "secrets-visitor.json").exists()
    assert client.store.account == ""


async def test_a_sign_in_that_cannot_be_kept_sends_nothing_of_the_one_before(
    island: Any, phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*_: Any) -> None:
        raise StoreFull("no room")

    await island.add_person("visitor", "mei")
    await island.add_person("visitor", "li")
    client, sent = phone(island.url), []

    async def send(entry: Any) -> None:
        sent.append(entry.key)

    client.outbox.register("thing", send)
    await client.session.sign_in("mei", PASSWORD)
    await client.session.sign_out()
    await client.session.sign_in("mei", PASSWORD)
    client.outbox.put("thing", {})
    monkeypatch.setattr("mobile.core.secrets_file.write_whole", no_room)
    with pytest.raises(StoreFull):
        await client.session.sign_in("li", PASSWORD)
    assert (client.session.is_signed_in, client.session.person, client.store.account) == (False, None, "")
    await client.outbox.turn()
    assert sent == []
    monkeypatch.undo()
    await client.session.sign_in("mei", PASSWORD)
    await client.outbox.turn()
    assert len(sent) == 1


async def test_unreadable_tokens_are_no_tokens(island: Any, phone: Phone, tmp_path: Path) -> None:
    (tmp_path / "phone").mkdir()
    (tmp_path / "phone" / "secrets-visitor.json").write_text("{half")
    assert not phone(island.url).session.is_signed_in


async def test_a_call_of_the_one_before_is_never_sent_as_the_next(island: Any, phone: Phone) -> None:
    """A renewal that ends after somebody else signed in gives the first one's call nothing."""
    await island.add_person("visitor", "mei")
    await island.add_person("visitor", "li")
    client = phone(island.url)
    await client.session.sign_in("mei", PASSWORD)
    island.clock.by += timedelta(hours=1)
    first = asyncio.ensure_future(client.api.people.me())
    await client.session.sign_in("li", PASSWORD)
    try:
        assert (await first).username == "mei"
    except SignedOut:
        assert client.session.person is not None
    held = client.api.people._caller._tokens.held
    assert isinstance(held, Held)
    assert (await client.api.people.me()).username == "li"


async def test_registration_names_what_the_server_wants(island: Any, phone: Phone) -> None:
    client = phone(island.url)
    new = Registration(
        username="x", password=PASSWORD, role="visitor", consent_version="1", consents=("terms",), is_old_enough=True
    )
    with pytest.raises(ApiProblem) as refused:
        await client.session.register(new)
    assert refused.value.code == "invalid"
    assert [one["field"] for one in refused.value.more["fields"]] == ["body.username"]
