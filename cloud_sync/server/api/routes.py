"""The whole JSON API under `/api/v1`."""

from __future__ import annotations

from fastapi import APIRouter

from cloud_sync.server.api import energy, energy_exports, health, media, office, passages, session, stream, vision

router = APIRouter(prefix="/api/v1")
for part in (session, passages, office, vision, energy, energy_exports, media, stream, health):
    router.include_router(part.router)
