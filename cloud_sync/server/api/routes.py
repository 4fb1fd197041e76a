"""The whole JSON API under `/api/v1`."""

from __future__ import annotations

from fastapi import APIRouter

from cloud_sync.server.api import (
    carbon,
    energy,
    energy_exports,
    health,
    media,
    office,
    papers,
    passages,
    people,
    public,
    rules,
    session,
    stream,
    vision,
)

router = APIRouter(prefix="/api/v1")
for part in (
    session,
    carbon,
    people,
    rules,
    passages,
    office,
    vision,
    energy,
    energy_exports,
    media,
    stream,
    health,
    public,
    papers,
):
    router.include_router(part.router)
