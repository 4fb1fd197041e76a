"""The whole JSON API under `/api/v1`."""

from __future__ import annotations

from fastapi import APIRouter

from cloud_sync.server.api import (
    energy,
    energy_exports,
    health,
    media,
    office,
    passages,
    people,
    session,
    stream,
    vision,
)

router = APIRouter(prefix="/api/v1")
for part in (session, people, passages, office, vision, energy, energy_exports, media, stream, health):
    router.include_router(part.router)
