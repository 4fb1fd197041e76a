"""The whole JSON API under `/api/v1`."""

from __future__ import annotations

from fastapi import APIRouter

from cloud_sync.server.api import (
    applications,
    carbon,
    carbon_events,
    documents,
    energy,
    energy_exports,
    health,
    media,
    merchant,
    office,
    papers,
    passages,
    people,
    points,
    points_office,
    public,
    reports,
    retention,
    rules,
    session,
    stream,
    vehicles,
    vision,
    visits,
    vouchers,
)

router = APIRouter(prefix="/api/v1")
# The first is found first: what phones ask most.
for part in (
    points,
    session,
    carbon,
    people,
    rules,
    retention,
    passages,
    office,
    applications,
    documents,
    vehicles,
    visits,
    vision,
    energy,
    energy_exports,
    media,
    stream,
    health,
    public,
    papers,
    points_office,
    merchant,
    vouchers,
    reports,
    carbon_events,
):
    router.include_router(part.router)
