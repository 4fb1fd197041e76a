"""The whole JSON API under `/api/v1`."""

from __future__ import annotations

from starlette.routing import BaseRoute

from cloud_sync.server.api import (
    applications,
    carbon,
    carbon_events,
    documents,
    energy,
    energy_exports,
    health,
    me,
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

_PARTS = (
    points,
    session,
    carbon,
    me,
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
)


def routes() -> list[BaseRoute]:
    """Every route. They are made once a process: `include_router` would make each anew for every application."""
    return [route for part in _PARTS for route in part.router.routes]
