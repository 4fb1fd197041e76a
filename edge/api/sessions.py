"""Who sits in the hut: owns signing in with the PIN, sessions, and slowing down who guesses."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass

from edge.ports import Clock

SESSIONS_MAX = 32
FREE_TRIES = 5
LOCK_S, LOCK_S_MAX = 15.0, 900.0


@dataclass(frozen=True, slots=True)
class Session:
    """One signed-in guard. `csrf` must come with every decision."""

    token: str
    name: str
    csrf: str
    until_s: float


class Sessions:
    """Sessions live in memory: after a restart guards sign in again."""

    def __init__(self, *, pin: str, session_s: float, clock: Clock) -> None:
        self._pin, self._session_s, self._clock = pin.encode(), session_s, clock
        self._open: dict[str, Session] = {}
        self._wrong = 0
        self._locked_until_s = -1.0

    def locked_s(self) -> float:
        """Seconds until the next try is allowed; 0 when it is."""
        return max(0.0, self._locked_until_s - self._clock.monotonic())

    def sign_in(self, name: str, pin: str) -> Session | None:
        """A new session, or None for a wrong PIN or while locked."""
        if self.locked_s() > 0:
            return None
        if not hmac.compare_digest(pin.encode(), self._pin):
            self._count_wrong()
            return None
        self._wrong = 0
        return self._begin(name)

    def _count_wrong(self) -> None:
        self._wrong += 1
        if self._wrong >= FREE_TRIES:
            lock_s = min(LOCK_S_MAX, LOCK_S * 2 ** (self._wrong - FREE_TRIES))
            self._locked_until_s = self._clock.monotonic() + lock_s

    def _begin(self, name: str) -> Session:
        while len(self._open) >= SESSIONS_MAX:
            del self._open[next(iter(self._open))]
        until_s = self._clock.monotonic() + self._session_s
        session = Session(secrets.token_urlsafe(32), name, secrets.token_urlsafe(32), until_s)
        self._open[session.token] = session
        return session

    def find(self, token: str | None) -> Session | None:
        """The session of a cookie, while it lasts."""
        session = self._open.get(token or "")
        if session is None or session.until_s <= self._clock.monotonic():
            self._open.pop(token or "", None)
            return None
        return session

    def end(self, token: str | None) -> None:
        """Sign out."""
        self._open.pop(token or "", None)
