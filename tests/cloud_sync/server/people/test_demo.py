"""The demonstration has an account of each role, and nobody else has one."""

from __future__ import annotations

from typing import Any

import httpx

from cloud_sync.server import auth, build
from cloud_sync.server.people import demo
from cloud_sync.server.roles import Role


async def test_each_role_has_an_account_with_the_same_password(demo_account: Any, clock: Any) -> None:
    quick = build.argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    for _ in range(2):
        app = build.create_app(demo_account, clock=clock, hasher=quick, workers=False)
        async with app.router.lifespan_context(app):
            given = app.state.services
            password = app.state.first_account.partition(" / ")[2]
            assert set(app.state.demo_accounts) == {f"demo-{role}" for role in Role}
            for role in Role:
                signed = await auth.sign_in(given, f"demo-{role}", password, remote="x")
                assert signed.user.role is role
            merchant = await auth.sign_in(given, "demo-merchant", password, remote="x")
            assert merchant.user.org_id == "demo-merchant"


async def test_without_a_demonstration_there_is_none(app: Any, browser: httpx.AsyncClient) -> None:
    assert app.state.demo_accounts == ()
    assert await demo.add_accounts(app.state.services) == ()
    assert await app.state.services.pool.fetchval("SELECT count(*) FROM users") == 0
