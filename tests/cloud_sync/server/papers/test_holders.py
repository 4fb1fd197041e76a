"""A holder is found by what the office has at hand; a name that two share is nobody's."""

from __future__ import annotations

from typing import Any

import pytest

from cloud_sync.server.papers.holders import holder_of
from cloud_sync.server.problems import Problem


async def test_a_holder_is_found_by_name_and_by_application(books: Any, sign_in: Any) -> None:
    pool = books.given.pool
    for role in ("driver", "organisation"):
        await sign_in(role)
    await pool.execute(
        "INSERT INTO organisations (org_id, kind, name, created_at) VALUES ('org-1', 'applicant', '博鳌吊装', $1)",
        books.given.clock(),
    )
    await pool.execute("UPDATE users SET org_id = 'org-1' WHERE username = 'organisation'")
    driver = await pool.fetchval("SELECT user_id::text FROM users WHERE username = 'driver'")
    await books.visit("v1", "XK-2026-000001", owner=driver)
    for text in ("driver", " driver ", driver, "XK-2026-000001"):
        assert await holder_of(pool, text) == driver
    for text in ("org-1", "博鳌吊装", "organisation"):
        assert await holder_of(pool, text) == "org-1"
    await pool.execute("UPDATE users SET name = '博鳌吊装' WHERE username = 'driver'")
    for text in ("", "\0", "nobody", "XK-2026-000009", "博鳌吊装"):
        with pytest.raises(Problem) as refused:
            await holder_of(pool, text)
        assert refused.value.code == "holder_unknown"
