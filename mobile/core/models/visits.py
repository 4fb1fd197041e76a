"""A driver's visits: owns their emission and offset, evidence that is declared afterwards, and papers about them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mobile.core.api.carbon import EvidenceMade, VisitRecord, VisitRow
from mobile.core.api.parsing import plain
from mobile.core.errors import FileGone
from mobile.core.files import write_whole
from mobile.core.models.kept_files import drop_unneeded
from mobile.core.paged import PagedModel
from mobile.core.shown import Model

if TYPE_CHECKING:
    from mobile.core.client import Client
    from mobile.core.outbox import Entry

EVIDENCE = "evidence"
_PAGE = 50


@dataclass(frozen=True, slots=True)
class Sums:
    """What some visits emitted, in grams; those that are told for information alone owe nothing."""

    owed_g: int
    covered_g: int

    @property
    def open_g(self) -> int:
        """Not covered yet."""
        return self.owed_g - self.covered_g


def sums(rows: Iterable[VisitRow]) -> Sums:
    """Of these visits."""
    owed = [one for one in rows if not one.information]
    return Sums(sum(one.owed_g for one in owed), sum(one.covered_g for one in owed))


class Visits(PagedModel[VisitRow]):
    """The newest first; `tab` is all, open (not offset yet) or unknown (no figure)."""

    item = VisitRow

    def __init__(self, client: Client, tab: str = "all") -> None:
        self.tab = tab
        self.cache_key = f"visits/{tab}"
        super().__init__(client)

    async def fetch_page(self, cursor: str | None) -> tuple[tuple[VisitRow, ...], str | None]:
        """From the server."""
        page = await self.client.api.carbon.visits(tab=self.tab, cursor=cursor, limit=_PAGE)
        return page.items, page.next_cursor


class OneVisit(Model[VisitRecord]):
    """One visit: how its figure came about, what was declared, what covers it."""

    answer = VisitRecord

    def __init__(self, client: Client, visit_id: str) -> None:
        self.visit_id = visit_id
        self.cache_key = f"visit/{visit_id}"
        super().__init__(client)

    async def fetch(self) -> VisitRecord:
        """From the server."""
        return await self.client.api.carbon.visit(self.visit_id)

    def declare(self, evidence: Mapping[str, Any], papers: tuple[bytes, ...] = ()) -> Entry:
        """Keeps what was measured or read off, to be sent once. Raises StoreError."""
        kept = [self.client.files.keep(one) for one in papers]
        body = {"visit_id": self.visit_id, "evidence": plain(evidence), "papers": kept}
        return self.client.outbox.put(EVIDENCE, body)

    def was_sent(self) -> bool:
        """Whether a declaration of this visit reached the server since the last `tidy`."""
        return any(one.body["visit_id"] == self.visit_id for one in self.client.outbox.entries(EVIDENCE, "sent"))

    def tidy(self) -> None:
        """Forgets declarations of this visit that were sent, with their papers: the server has both."""
        for one in self.client.outbox.entries(EVIDENCE, "sent"):
            if one.body["visit_id"] == self.visit_id:
                self.drop(one)

    def drop(self, entry: Entry) -> None:
        """Forgets a declaration that was sent or not taken, with the papers that nothing else needs."""
        if self.client.outbox.dismiss(entry.entry_id):
            drop_unneeded(self.client, entry.body["papers"])

    def papers_of(self, entry: Entry) -> tuple[bytes, ...]:
        """The papers of a declaration that are still on the phone."""
        found = []
        for sha256 in entry.body["papers"]:
            with suppress(FileGone):
                found.append(self.client.files.read(sha256))
        return tuple(found)

    def on_its_way(self) -> tuple[Entry, ...]:
        """Declarations of this visit that wait, or that the server did not take."""
        entries = self.client.outbox.entries(EVIDENCE)
        return tuple(one for one in entries if one.body["visit_id"] == self.visit_id and one.state != "sent")

    async def certificate(self, language: str) -> bytes:
        """The neutralisation certificate as PDF. Raises ApiProblem, Offline."""
        carbon = self.client.api.carbon
        paper = await carbon.issue_paper(kind="neutralisation", subject=self.visit_id, language=language)
        return await carbon.paper_file(paper.paper_id)


async def statement(client: Client, since: date, until: date, language: str) -> bytes:
    """The statement of one's visits of some days as PDF. Raises ApiProblem, Offline."""
    paper = await client.api.carbon.issue_paper(kind="visits", since=since, until=until, language=language)
    return await client.api.carbon.paper_file(paper.paper_id)


async def save_paper(client: Client, name: str, content: bytes) -> Path:
    """Where it lies then. Raises StoreError."""
    path = client.papers_dir / name
    await asyncio.to_thread(write_whole, path, content)
    return path


def register(client: Client) -> None:
    """Tells the outbox how declarations are sent; once for a client."""

    async def send(entry: Entry) -> EvidenceMade:
        papers = []
        for sha256 in entry.body["papers"]:
            papers.append((await client.api.permits.upload(client.files.read(sha256))).sha256)
        return await client.api.carbon.declare(
            entry.body["visit_id"], entry.body["evidence"], papers=tuple(papers), key=entry.key
        )

    client.outbox.register(EVIDENCE, send)
