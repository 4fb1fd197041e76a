"""Tokens on the phone: owns the one file that holds them, mode 0600, and which sign-in is the present one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mobile.core.api.calling import Held, TokenPair
from mobile.core.api.parsing import Unreadable, parse, plain
from mobile.core.errors import StoreError
from mobile.core.files import write_whole
from mobile.core.signal import Signal


class SecretsFile:
    """The sign-in of one app role at one server, whose tokens no other server ever sees.

    `person` is what was known of its owner; `why_ended` is "" or a code.
    """

    def __init__(self, path: Path, base_url: str) -> None:
        self.changed = Signal()
        self.why_ended = ""
        self._path = path
        self._base_url = base_url
        self._number = 0
        self._held: Held | None = None
        self._person: dict[str, Any] | None = None
        self._load()

    @property
    def held(self) -> Held | None:
        """The tokens of the present sign-in."""
        return self._held

    @property
    def person(self) -> dict[str, Any] | None:
        """Whose they are; also who was signed in last, after the server ended that."""
        return self._person

    def take(self, pair: TokenPair) -> Held:
        """A new sign-in whose owner is not known yet: kept in memory alone."""
        self._number += 1
        self._held, self._person, self.why_ended = Held(self._number, pair), None, ""
        return self._held

    def keep(self, person: dict[str, Any]) -> None:
        """The present sign-in is this person's: from now on it outlives the app."""
        self._person = person
        self._save()
        self.changed.emit()

    def renewed(self, number: int, pair: TokenPair) -> None:
        """Keeps the next pair, unless somebody else has signed in meanwhile."""
        if self._held is None or self._held.number != number:
            return
        self._held = Held(number, pair)
        if self._person is not None:
            self._save()

    def ended(self, number: int, code: str) -> None:
        """The server ended a sign-in."""
        if self._held is None or self._held.number != number:
            return
        self._held, self.why_ended = None, code
        try:
            self._save()
        finally:
            self.changed.emit()  # it holds in this run, whether or not the phone could keep it

    def drop(self) -> None:
        """Nobody is signed in."""
        self._held, self._person, self.why_ended = None, None, ""
        try:
            self._path.unlink(missing_ok=True)  # needs no room
        except OSError as error:
            raise StoreError(f"{self._path}: {error}") from error
        finally:
            self.changed.emit()

    def _save(self) -> None:
        said = {
            "base_url": self._base_url,
            "pair": plain(self._held and self._held.pair),
            "person": self._person,
            "why_ended": self.why_ended,
        }
        write_whole(self._path, json.dumps(said, ensure_ascii=False).encode())

    def _load(self) -> None:
        try:
            said = json.loads(self._path.read_bytes())
            if said["base_url"] != self._base_url:
                return
            pair = parse(TokenPair | None, said["pair"])
        except FileNotFoundError:
            return
        except OSError as error:
            raise StoreError(f"{self._path}: {error}") from error
        except (ValueError, TypeError, KeyError, Unreadable):
            return  # unreadable tokens are no tokens: sign in again
        self._number = 1
        self._held = None if pair is None else Held(self._number, pair)
        self._person, self.why_ended = said.get("person"), said.get("why_ended", "")
