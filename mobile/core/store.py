"""What the phone remembers: owns the cache of what was last seen, drafts, codes to show, and settings of the device.

Rows belong to the account that is signed in; nobody sees another one's. A change is durable when its method returns.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from mobile.core.api.parsing import plain
from mobile.core.database import Database
from mobile.core.signal import Signal

NOBODY = ""
_PAGE_MARK = "#"
_PUT = "INSERT OR REPLACE INTO cache (account, key, json, seen_at) VALUES (?, ?, ?, ?)"


@dataclass(frozen=True, slots=True)
class Code:
    """Something to show without a network: a pass, or the code of a redemption. `ends_at` None: it does not end."""

    kind: str
    code_id: str
    value: dict[str, Any]
    made_at: datetime
    ends_at: datetime | None


class Store:
    """Raises StoreError (StoreFull, StoreBroken) when the phone's memory fails; what was kept stays."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.account = NOBODY
        self._signals: dict[str, Signal] = {}

    # ------------------------------------------------------------ cache

    def kept(self, key: str) -> Signal:
        """Told when something newer is kept under a key of the cache."""
        return self._signals.setdefault(key, Signal())

    def _tell(self, key: str) -> None:
        if key in self._signals:
            self._signals[key].emit()

    def cache_get(self, key: str, *, page: str = "") -> tuple[Any, datetime] | None:
        """What was last seen, and when; of a list, the `page` of that name."""
        name = _page_key(key, page)
        row = self.database.row("SELECT json, seen_at FROM cache WHERE account = ? AND key = ?", self.account, name)
        return None if row is None else (json.loads(row["json"]), datetime.fromisoformat(row["seen_at"]))

    def cache_put(self, key: str, value: Any, seen_at: datetime, *, page: str = "") -> None:
        """Keeps the newest of a key, or of one `page` of a list."""
        with self.database.change() as change:
            change.execute(_PUT, (self.account, _page_key(key, page), _text(value), _moment(seen_at)))
        self._tell(key)

    def pages_put(self, key: str, pages: Mapping[str, Any], seen_at: datetime, *, stay: Iterable[str]) -> None:
        """Keeps the newest pages of a list by name, its first as "". Of the others, those named `stay` are left."""
        names = [_page_key(key, name) for name in (*pages, *stay)]
        further = f"{key}{_PAGE_MARK}"
        with self.database.change() as change:
            change.execute(
                "DELETE FROM cache WHERE account = ? AND substr(key, 1, ?) = ? AND key NOT IN"
                " (SELECT value FROM json_each(?))",
                (self.account, len(further), further, _text(names)),
            )
            rows = [(self.account, _page_key(key, name), _text(page), _moment(seen_at)) for name, page in pages.items()]
            change.executemany(_PUT, rows)
        self._tell(key)

    def cache_drop(self, prefix: str) -> None:
        """Forgets the keys that begin so."""
        with self.database.change() as change:
            change.execute(
                "DELETE FROM cache WHERE account = ? AND substr(key, 1, ?) = ?", (self.account, len(prefix), prefix)
            )

    def tidy(self, before: datetime) -> None:
        """Forgets what was last seen before a moment, and what was sent before it; a refusal waits for its person."""
        with self.database.change() as change:
            change.execute("DELETE FROM cache WHERE seen_at < ?", (_moment(before),))
            change.execute("DELETE FROM outbox WHERE state = 'sent' AND ended_at < ?", (_moment(before),))
            change.execute("DELETE FROM codes WHERE ends_at < ?", (_moment(before),))

    # ------------------------------------------------------------ drafts

    def draft_get(self, name: str) -> dict[str, Any] | None:
        """What was last filled in."""
        row = self.database.row("SELECT json FROM drafts WHERE account = ? AND name = ?", self.account, name)
        return None if row is None else _read(row)

    def draft_put(self, name: str, draft: dict[str, Any]) -> None:
        """Keeps what is filled in."""
        with self.database.change() as change:
            change.execute(
                "INSERT OR REPLACE INTO drafts (account, name, json) VALUES (?, ?, ?)",
                (self.account, name, _text(draft)),
            )

    def draft_drop(self, name: str) -> None:
        """Forgets a draft."""
        with self.database.change() as change:
            change.execute("DELETE FROM drafts WHERE account = ? AND name = ?", (self.account, name))

    def drafts(self, prefix: str = "") -> dict[str, dict[str, Any]]:
        """Drafts by name."""
        rows = self.database.rows(
            "SELECT name, json FROM drafts WHERE account = ? AND substr(name, 1, ?) = ? ORDER BY name",
            *(self.account, len(prefix), prefix),
        )
        return {row["name"]: json.loads(row["json"]) for row in rows}

    # ------------------------------------------------------------ codes to show

    def code_put(
        self, kind: str, code_id: str, value: dict[str, Any], *, made_at: datetime, ends_at: datetime | None
    ) -> None:
        """Keeps the newest of a code."""
        with self.database.change() as change:
            change.execute(
                "INSERT OR REPLACE INTO codes (account, kind, code_id, json, made_at, ends_at)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (self.account, kind, code_id, _text(value), _moment(made_at), ends_at and _moment(ends_at)),
            )

    def codes(self, kind: str) -> tuple[Code, ...]:
        """Codes of a kind, the newest first."""
        rows = self.database.rows(
            "SELECT code_id, json, made_at, ends_at FROM codes WHERE account = ? AND kind = ?"
            " ORDER BY made_at DESC, code_id",
            *(self.account, kind),
        )
        return tuple(
            Code(
                kind,
                row["code_id"],
                json.loads(row["json"]),
                datetime.fromisoformat(row["made_at"]),
                row["ends_at"] and datetime.fromisoformat(row["ends_at"]),
            )
            for row in rows
        )

    def code_drop(self, kind: str, code_id: str) -> None:
        """Forgets a code."""
        with self.database.change() as change:
            change.execute(
                "DELETE FROM codes WHERE account = ? AND kind = ? AND code_id = ?", (self.account, kind, code_id)
            )

    # ------------------------------------------------------------ the device

    def setting_get(self, key: str, default: Any = None) -> Any:
        """A setting of the device, whoever is signed in."""
        row = self.database.row("SELECT json FROM settings WHERE key = ?", key)
        return default if row is None else json.loads(row["json"])

    def setting_put(self, key: str, value: Any) -> None:
        """Keeps a setting of the device."""
        with self.database.change() as change:
            change.execute("INSERT OR REPLACE INTO settings (key, json) VALUES (?, ?)", (key, _text(value)))

    def forget_account(self, account: str) -> None:
        """Removes everything of an account from the phone."""
        with self.database.change() as change:
            for table in ("cache", "drafts", "codes", "outbox"):
                change.execute(f"DELETE FROM {table} WHERE account = ?", (account,))
        self.database.scrub()

    def close(self) -> None:
        """Lets go of the file."""
        self.database.close()


def _page_key(key: str, name: str) -> str:
    return f"{key}{_PAGE_MARK}{name}" if name else key


def _read(row: sqlite3.Row) -> dict[str, Any]:
    kept: dict[str, Any] = json.loads(row["json"])
    return kept


def _text(value: Any) -> str:
    return json.dumps(plain(value), ensure_ascii=False, separators=(",", ":"))


def _moment(at: datetime) -> str:
    """Of one length, so that texts sort as times do."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")
