"""The island of the pictures: a transport that answers every question from fixed records, or is cut off.

It stands where the network stands otherwise, so everything above it is the app as it is shipped.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import picture_people as people
import picture_permits as permits
import picture_points as points

from mobile.core.api import carbon as carbon_api
from mobile.core.api import permits as permits_api
from mobile.core.api import points as points_api
from mobile.core.api.parsing import plain
from mobile.core.api.public import Health
from mobile.core.api.wire import JSON, Request, Response
from mobile.core.errors import Offline

Answer = Callable[..., Any]
GONE = {"code": "not_found", "title": "Not there.", "title_zh": "没有找到。", "status": 404}


class FixedIsland:
    """Answers as the cloud would at one moment. `is_cut`: nobody answers. `asked` are questions without an answer."""

    def __init__(self, role: str) -> None:
        self.is_cut = False
        self.is_riding = False
        self.asked: set[str] = set()
        self._role = role
        self._table = [(method, re.compile(f"/api/v1{path}"), answer) for method, path, answer in self._answers()]

    async def send(self, request: Request) -> Response:
        """The fixed answer. Raises Offline while the island is cut off."""
        if self.is_cut:
            raise Offline("the island of the pictures is cut off")
        address = urlsplit(request.target)
        query = {name: values[0] for name, values in parse_qs(address.query).items()}
        who = request.headers.get("Authorization", "").removeprefix("Bearer access-")
        for method, path, answer in self._table:
            found = path.fullmatch(address.path)
            if method == request.method and found is not None:
                given = json.loads(request.content) if request.content and isinstance(request.content, bytes) else {}
                return self._response(answer(who=who, query=query, body=given, **found.groupdict()))
        self.asked.add(f"{request.method} {address.path}")
        return self._response(GONE, status=404, media_type="application/problem+json")

    async def close(self) -> None:
        """There is nothing to close."""

    def _response(self, value: Any, status: int = 200, media_type: str = JSON) -> Response:
        headers = {"content-type": media_type, "date": format_datetime(points.NOW, usegmt=True)}
        if value is None:
            return Response(204, headers, b"")
        return Response(status, headers, json.dumps(plain(value), ensure_ascii=False).encode())

    # ------------------------------------------------------------ answers

    def _answers(self) -> list[tuple[str, str, Answer]]:
        return [*self._of_people(), *self._of_points(), *self._of_permits()]

    def _of_people(self) -> list[tuple[str, str, Answer]]:
        return [
            ("GET", "/health", lambda **_: Health("ok", points.NOW)),
            ("POST", "/auth/token", lambda body, **_: people.tokens(body["username"])),
            ("POST", "/auth/revoke", lambda **_: None),
            ("GET", "/me", lambda who, **_: people.person(who, self._role)),
            ("GET", "/people/terms", lambda query, **_: people.terms(query["language"])),
            ("GET", "/me/access-log", lambda who, **_: people.LOOKS if who != people.NEW else ()),
            ("GET", "/me/requests", lambda who, **_: people.REQUESTS if who != people.NEW else ()),
            ("POST", "/me/guardian-code", lambda **_: people.GUARDIAN_CODE),
            ("GET", "/public/rules", lambda **_: people.RULES),
            ("GET", "/public/methods", lambda **_: people.FACTORS),
        ]

    def _of_points(self) -> list[tuple[str, str, Answer]]:
        def mine(value: Any) -> Answer:
            return lambda who, **_: () if who == people.NEW else value

        def page(kind: type, value: tuple[Any, ...]) -> Answer:
            return lambda who, **_: kind(() if who == people.NEW else value, None)

        def events(who: str, query: dict[str, str], **_: Any) -> Any:
            state = query.get("state", "")
            return points_api.EventPage(
                tuple(one for one in points.EVENTS if who != people.NEW and state in ("", one.state)), None
            )

        return [
            ("GET", "/points/me", lambda who, **_: points.NOTHING if who == people.NEW else points.ME),
            ("GET", "/points/me/history", page(points_api.HistoryPage, points.HISTORY)),
            ("GET", "/points/me/events", events),
            ("GET", "/points/trips", self._trips),
            ("GET", "/points/badges", mine(points.ME.badges)),
            ("GET", "/points/methods", lambda **_: points.METHODS),
            ("GET", "/points/phone-rules", lambda **_: points.PHONE_RULES),
            ("GET", "/points/catalogue", lambda **_: points.CATALOGUE),
            ("GET", "/points/redemptions", mine(points.REDEMPTIONS)),
            ("GET", "/points/appeals", mine(points.APPEALS)),
            ("POST", "/points/scans", lambda **_: points.SCAN_RESULT),
            ("POST", "/points/person-code", lambda **_: points.PERSON_CODE),
            ("GET", "/vouchers/mine", mine(points.VOUCHERS)),
        ]

    def _trips(self, who: str, **_: Any) -> tuple[points_api.TripRecord, ...]:
        if who == people.NEW:
            return ()
        return (points.RUNNING, *points.TRIPS) if self.is_riding else points.TRIPS

    def _of_permits(self) -> list[tuple[str, str, Answer]]:
        def mine(value: tuple[Any, ...]) -> Answer:
            return lambda who, **_: () if who == people.NEW else value

        def page(kind: type, value: tuple[Any, ...]) -> Answer:
            return lambda who, **_: kind(() if who == people.NEW else value, None)

        def visits(who: str, query: dict[str, str], **_: Any) -> Any:
            tab = query.get("tab", "all")
            kept = [one for one in permits.VISITS if who != people.NEW]
            if tab == "open":
                kept = [one for one in kept if one.open_g]
            elif tab == "unknown":
                kept = [one for one in kept if one.problem]
            return carbon_api.VisitPage(tuple(kept), None)

        number = "(?P<number>[^/]+)"
        return [
            ("GET", "/reminders", mine(permits.REMINDERS if self._role == "driver" else ())),
            ("POST", "/reminders/seen", lambda **_: None),
            ("GET", "/applications", page(permits_api.ApplicationPage, permits.ROWS)),
            ("GET", "/applications/choices", lambda **_: permits.CHOICES),
            ("GET", f"/applications/{number}", lambda number, **_: permits.application(number)),
            ("GET", f"/applications/{number}/check", lambda **_: permits.CHECK),
            ("GET", f"/applications/{number}/pass", lambda **_: permits.PASS),
            ("GET", "/vehicles", mine(permits.VEHICLES)),
            ("GET", "/visits", page(permits_api.VisitPage, permits.ENTRIES)),
            ("GET", "/carbon/visits", visits),
            ("GET", f"/carbon/visits/{number}", lambda number, **_: permits.visit(number)),
            ("GET", "/papers", page(carbon_api.PaperPage, permits.PAPERS)),
        ]
