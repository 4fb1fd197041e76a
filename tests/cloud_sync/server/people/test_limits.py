"""So many papers, copies and begun sign-ins an hour, of each person or address on their own."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from cloud_sync.server.config import CloudConfig, LimitsConfig, OidcConfig


@pytest.fixture
def config(config: CloudConfig) -> CloudConfig:
    """One of each an hour; the provider is there by name alone."""
    offered = OidcConfig(issuer="http://127.0.0.1:9", client_id="island", redirect_url="http://127.0.0.1:9/back")
    limits = LimitsConfig(papers_per_hour=1, exports_per_hour=1, provider_starts_per_hour=1)
    return replace(config, oidc=offered, limits=limits)


async def test_copies_and_papers_are_counted_by_person(sign_in: Any) -> None:
    driver, other = await sign_in("driver"), await sign_in("visitor")
    paper = {"kind": "visits", "subject": "nobody"}
    assert (await driver.get("/me/export")).status_code == 200
    assert (await driver.get("/me/export")).json()["code"] == "too_many_requests"
    assert (await driver.post("/papers", paper)).status_code not in (201, 429)
    assert (await driver.post("/papers", paper)).json()["code"] == "too_many_requests"
    assert (await other.get("/me/export")).status_code == 200
    assert (await other.post("/papers", paper)).status_code != 429


async def test_begun_sign_ins_are_counted_by_address(app: FastAPI, browser: httpx.AsyncClient) -> None:
    statuses = [(await browser.get("/sign-in/provider")).status_code for _ in range(2)]
    assert statuses[0] != 429
    assert statuses[1] == 429
