"""Each role begins its day on its own page, and no address from outside leads away from here."""

from __future__ import annotations

from typing import Any

import pytest

from cloud_sync.server.console.landing import LANDING, local_path
from cloud_sync.server.roles import Role


async def test_each_role_lands_on_a_page_that_it_may_open(app: Any, sign_in: Any) -> None:
    given = app.state.services
    await given.pool.execute(
        "INSERT INTO organisations (org_id, kind, name, created_at) VALUES ('shop', 'merchant', 'shop', now())"
    )
    for role in Role:
        person = await sign_in(role.value)
        await given.pool.execute("UPDATE users SET org_id = 'shop' WHERE role = 'merchant'")
        sent = await person.http.get("/", headers={"accept": "text/html"})
        assert (sent.status_code, sent.headers["location"]) == (303, LANDING[role])
        landed = await person.http.get(LANDING[role], headers={"accept": "text/html"})
        assert landed.status_code == 200, role
        if role.is_public:
            assert 'href="/passages"' not in landed.text
            assert 'id="find-dialog"' not in landed.text


@pytest.mark.parametrize(
    "text", ["https://evil.example", "//evil.example", "/\\evil.example", "evil", "", "/a\nb", "javascript:alert(1)"]
)
def test_an_address_from_outside_leads_home(text: str) -> None:
    assert local_path(text) == "/"


def test_a_place_of_ours_is_kept() -> None:
    assert local_path("/passages?plate=1") == "/passages?plate=1"
