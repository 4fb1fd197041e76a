"""Evidence pictures: only pictures, only under their own hash, only for signed-in people."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import httpx
import pytest

from cloud_sync.server.config import MediaConfig

JPEG = b"\xff\xd8\xff\xe0" + b"picture" * 100
NAME = hashlib.sha256(JPEG).hexdigest()


@pytest.fixture
def config(config: Any) -> Any:
    return replace(config, media=MediaConfig(size_bytes_max=2000))


@pytest.fixture
async def put(config: Any, app: Any, browser: httpx.AsyncClient) -> Any:
    token = config.gateways[0].secret_file.read_text().strip()

    async def put(name: str, content: bytes) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "text/html"}
        return await browser.put(f"/api/v1/media/{name}", content=content, headers=headers)

    return put


async def test_a_picture_is_taken_once_and_shown_with_safe_headers(put: Any, sign_in: Any) -> None:
    assert [(await put(NAME, JPEG)).status_code for _ in range(2)] == [201, 200]
    guard = await sign_in("guard")
    answer = await guard.get(f"/media/{NAME}")
    assert (answer.content, answer.headers["content-type"]) == (JPEG, "image/jpeg")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert "private" in answer.headers["cache-control"]


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        (NAME, JPEG + b"x", "hash_differs"),
        (NAME, b"", "not_a_picture"),
        (hashlib.sha256(b"<html>").hexdigest(), b"<html>", "not_a_picture"),
        (NAME, JPEG * 10, "too_large"),
        (NAME.upper(), JPEG, "not_found"),
        ("..%2f..%2fetc%2fpasswd", JPEG, "not_found"),
        ("a" * 63, JPEG, "not_found"),
    ],
)
async def test_what_is_no_picture_of_that_name_is_refused_and_leaves_nothing(
    config: Any, put: Any, name: str, content: bytes, code: str
) -> None:
    answer = await put(name, content)
    assert answer.json()["code"] == code
    folder = config.server.data_dir / "media"
    assert [path for path in folder.rglob("*") if path.is_file()] == []


async def test_a_full_disk_says_so_and_the_gateway_keeps_its_picture(
    app: Any, put: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app.state.services.media, "_free_bytes_min", 2**62)
    assert (await put(NAME, JPEG)).json()["code"] == "storage_full"
    monkeypatch.undo()
    assert (await put(NAME, JPEG)).status_code == 201


async def test_a_passage_knows_which_of_its_pictures_are_here(
    put: Any, app: Any, sign_in: Any, make_gateway: Any
) -> None:
    gateway = make_gateway(app.state.services)
    link = {"media_type": "image/jpeg", "size_bytes": len(JPEG), "arrival_id": "a1", "at": "2026-11-21T02:43:00Z"}
    await gateway.send(gateway.decided("a1"), gateway.row("media_stored", sha256=NAME, role="frame", **link))
    guard = await sign_in("guard")
    assert [(await guard.get("/passages/a1")).json()["media"][0]["available"]] == [False]
    await put(NAME, JPEG)
    (shown,) = (await guard.get("/passages/a1")).json()["media"]
    assert (shown["available"], shown["size_bytes"], shown["role"]) == (True, len(JPEG), "frame")
