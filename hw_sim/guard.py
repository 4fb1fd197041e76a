"""The scripted guard of the demonstration: owns what it does with held vehicles, through the hut's own page.

It looks out of the window (the simulator's truth), takes a few seconds, and decides as a person would.
"""

from __future__ import annotations

import re
from typing import Any

import httpx

from control.domain.errors import IslandError
from hw_sim.site_files import Site

THINKS_S = 5.0
_CSRF = re.compile(r'"csrf":\s*"([^"]+)"')
# Who is sent away; everybody else who had to wait is let in.
_REFUSED_ROLES = frozenset({"fuel", "tractor", "trailer", "blocked", "no_plate"})
_REASONS = {"dirty": "plate_read_by_eye", "cross_border": "manager_approved", "consulate": "manager_approved"}


class ScriptedGuard:
    """Decides a held vehicle after a few seconds, so that the lanes do not block.

    With `permits_only` he lets in who has a permit, and leaves everybody else waiting.
    """

    def __init__(self, site: Site, http: httpx.AsyncClient, *, permits_only: bool = False) -> None:
        self._site, self._http, self._permits_only = site, http, permits_only
        self._csrf = ""
        self._done: set[str] = set()

    async def look(self) -> None:
        """See who waits, and decide those that have waited long enough."""
        state = await self._state()
        waiting = [h for h in state["holds"] if _wants_decision(h) and h["arrival_id"] not in self._done]
        if not waiting:
            return
        truth = (await self._http.get(f"{self._site.sim_url}/truth")).json()
        for hold in waiting:
            await self._decide(hold, _in_front(truth, hold["lane_id"]))

    async def _state(self) -> dict[str, Any]:
        answer = await self._http.get(f"{self._site.hut_url}/api/state")
        if answer.status_code == 401:
            await self._sign_in()
            answer = await self._http.get(f"{self._site.hut_url}/api/state")
        answer.raise_for_status()
        state: dict[str, Any] = answer.json()
        return state

    async def _sign_in(self) -> None:
        body = {"name": "演示值班员", "pin": self._site.hut_pin}
        (await self._http.post(f"{self._site.hut_url}/api/sign-in", json=body)).raise_for_status()
        page = await self._http.get(f"{self._site.hut_url}/")
        found = _CSRF.search(page.text)
        if found is None:
            raise IslandError("The hut's page names no token: the scripted guard cannot decide.")
        self._csrf = found.group(1)

    async def _decide(self, hold: dict[str, Any], vehicle: dict[str, Any] | None) -> None:
        """A vehicle that went meanwhile is no matter: the page then answers with a conflict."""
        body = decision_about(hold, vehicle)
        if self._permits_only and not body.get("under_permit"):
            return
        answer = await self._http.post(
            f"{self._site.hut_url}/api/holds/{hold['arrival_id']}/decision",
            json=body,
            headers={"X-Island-CSRF": self._csrf},
        )
        if answer.status_code not in (204, 409, 410, 503):
            raise IslandError(f"The hut's page answered {answer.status_code} to a decision: {answer.text[:200]}")
        if answer.status_code == 204:
            self._done.add(hold["arrival_id"])


def _wants_decision(hold: dict[str, Any]) -> bool:
    return hold["outcome"] == "hold" and hold["guard"] is None and hold["waiting_s"] >= THINKS_S


def _in_front(truth: list[dict[str, Any]], lane_id: str) -> dict[str, Any] | None:
    """The vehicle that stands at the line of a lane."""
    here = (v for v in truth if v["lane_id"] == lane_id and v["on_loop_at"] and not v["left_at"])
    return next(here, None)


def decision_about(hold: dict[str, Any], vehicle: dict[str, Any] | None) -> dict[str, Any]:
    """The body of the guard's decision."""
    if vehicle is None or vehicle["role"] in _REFUSED_ROLES:
        return {"outcome": "refuse", "reason_code": "fuel_no_permit" if vehicle else "check_declined", "note": ""}
    readings = {reading["text"]: reading for reading in hold["readings"]}
    seen = readings.get(vehicle["plate"])
    if seen is not None and seen["permit"]:
        return {"outcome": "admit", "reason_code": "permit_checked", "reading": vehicle["plate"], "under_permit": True}
    body = {"outcome": "admit", "reason_code": _REASONS.get(vehicle["role"], "manager_approved"), "note": "演示 demo"}
    return body | ({"reading": vehicle["plate"]} if vehicle["plate"] else {})
