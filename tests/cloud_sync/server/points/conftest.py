"""An application for points, and people in it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from cloud_sync.server.roles import Role
from cloud_sync.server.services import Services
from tests.cloud_sync.server.points.stand import CAFE, PASSWORD, Client, add_organisation, add_person


@pytest.fixture
def given(app: FastAPI) -> Services:
    """The services of the running application."""
    found: Services = app.state.services
    return found


@pytest.fixture
async def client(app: FastAPI, given: Services) -> AsyncIterator[Callable[..., Any]]:
    """`await client("ann")` makes the account (a visitor unless told otherwise) and signs it in."""
    async with AsyncExitStack() as stack:

        async def signed_in(username: str, role: Role = Role.VISITOR, **more: Any) -> Client:
            hashed = await given.passwords.hash(PASSWORD)
            user_id = await add_person(given, username, role=role, password_hash=hashed, **more)
            transport = httpx.ASGITransport(app=app)
            http = await stack.enter_async_context(
                httpx.AsyncClient(transport=transport, base_url="http://island.test")
            )
            made = Client(http, username, user_id)
            await made.sign_in()
            return made

        yield signed_in


@pytest.fixture
async def cafe(given: Services) -> str:
    """A merchant's organisation."""
    return await add_organisation(given, CAFE)
