"""Issued papers: owns giving one out, keeping it, and telling anybody whether it is genuine and still true.

A paper is a row of facts that lets nothing be changed, sealed with a key of this server, and a PDF named by its hash.
The code in its QR is 60 random bits, of which its number tells none: who has no paper finds none. Whoever changes a
figure in the database without the key breaks the seal; whoever corrects the books by the rules leaves the paper
genuine, and no longer true.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from cloud_sync.server.auth import CurrentUser
from cloud_sync.server.carbon.inventory import Month, month_of
from cloud_sync.server.hashed_files import HashedFiles
from cloud_sync.server.papers import facts as books
from cloud_sync.server.papers import pdf
from cloud_sync.server.papers.sheets import Frame, sheet_of
from cloud_sync.server.permits.access import owners_of
from cloud_sync.server.problems import Problem
from cloud_sync.server.roles import Can
from cloud_sync.server.secret_files import made_secret
from cloud_sync.server.services import Services
from cloud_sync.server.sql import Reader, as_json
from cloud_sync.server.store import Actor, note_access, write_audit
from control.points import crockford

PREFIXES = {"visits": "DZ", "neutralisation": "ZH", "event": "HD", "month": "YB", "year": "NB"}
OF_PEOPLE = frozenset({"visits", "neutralisation"})
PAGE_MAX = 100
FIRST_YEAR = 2000  # what lies before is a slip of the pen
_CODE_CHARACTERS, _NUMBER_CHARACTERS = 12, 6
_FOLDER, _KEY_FILE = "papers", Path("secrets", "papers.key")
_COLUMNS = "paper_id, kind, subject, language, code, facts, sha256, size_bytes, seal, issued_at, issued_by, issued_for"


@dataclass(frozen=True, slots=True)
class PaperRow:
    """A paper in a list."""

    paper_id: str
    kind: str
    subject: str
    language: str
    sha256: str
    size_bytes: int
    issued_at: datetime
    issued_by: str


@dataclass(frozen=True, slots=True)
class PaperPage:
    """Papers, the newest first; `next_cursor` is None at the end."""

    items: tuple[PaperRow, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What somebody asks a paper of: `subject` is a visit, an application, an event, a month (2026-10) or a year.

    A statement of visits has days instead; the office names its holder's account in `subject`.
    """

    kind: str
    subject: str = ""
    since: date | None = None
    until: date | None = None
    language: str = "zh"


@dataclass(frozen=True, slots=True)
class Checked:
    """What anybody learns of a paper. `said` holds masked facts; `genuine` false means that its record was altered.

    From `withdrawn_at` on nobody can tell any more: by the rules of retention, or with an account, what it said was
    taken out of its record.
    """

    paper_id: str
    kind: str
    language: str
    issued_at: datetime
    sha256: str
    genuine: bool
    holds: bool
    changed_since: datetime | None
    said: dict[str, Any]
    withdrawn_at: datetime | None = None


# ---------------------------------------------------------------- giving one out


async def issue(given: Services, user: CurrentUser, wanted: Wanted, *, base_url: str, remote: str = "") -> PaperRow:
    """Makes a paper of what the books say now. Raises Problem."""
    if wanted.kind not in PREFIXES or wanted.language not in ("zh", "en"):
        raise Problem("invalid", detail="kind, language")
    facts, holder = await _facts(given, user, wanted)
    now = given.clock()
    text = crockford.encode(secrets.randbits(5 * _CODE_CHARACTERS), _CODE_CHARACTERS)
    code = crockford.grouped(text, 4)
    # Drawn apart: the number stands in lists and letters, the code opens what the paper says.
    tail = crockford.encode(secrets.randbits(5 * _NUMBER_CHARACTERS), _NUMBER_CHARACTERS)
    number = f"{PREFIXES[wanted.kind]}-{now.astimezone(given.config.zone):%Y%m%d}-{tail}"
    frame = Frame(
        language=wanted.language,
        zone_name=given.config.server.name,
        number=number,
        code=code,
        verify_url=f"{base_url.rstrip('/')}/verify/{code}",
        issued_at=now,
        zone=given.config.zone,
    )
    content = await asyncio.to_thread(pdf.render, sheet_of(wanted.kind, facts, frame))
    sha256 = hashlib.sha256(content).hexdigest()
    await files(given).keep(sha256, content)
    row = {
        "paper_id": number,
        "kind": wanted.kind,
        "subject": facts.get("subject", wanted.subject),
        "language": wanted.language,
        "code": text,
        "facts": facts,
        "sha256": sha256,
        "size_bytes": len(content),
        "issued_at": now,
        # Of the public only the bare id, which names nobody when the account is gone.
        "issued_by": user.user_id if user.role.is_public else user.username,
        "issued_for": holder,
    }
    await _store(given, Actor.of(user, remote), row)
    return PaperRow(**{name: row[name] for name in PaperRow.__dataclass_fields__})


async def _facts(given: Services, user: CurrentUser, wanted: Wanted) -> tuple[dict[str, Any], str | None]:
    """What the paper will say, and whose it is: somebody else's is not there at all for the public."""
    if wanted.kind not in OF_PEOPLE:
        if not user.may(Can.KEEP_LEDGER):
            raise Problem("forbidden")
        return await _zone_facts(given, wanted), None
    if not (user.may(Can.KEEP_LEDGER) or user.may(Can.APPLY)):
        raise Problem("forbidden")
    own = owners_of(user)
    if wanted.kind == "neutralisation":
        facts, owner = await books.of_subject(given.pool, wanted.subject)
        if own and owner not in own:
            raise Problem("not_found")
        return facts, owner or None
    if wanted.since is None or wanted.until is None or wanted.until < wanted.since:
        raise Problem("invalid", detail="since, until")
    owners = own or (wanted.subject,)
    name = await _holder_name(given.pool, owners[-1])
    found = await books.of_owner(given.pool, owners, since=wanted.since, until=wanted.until, holder=name)
    return found | {"subject": owners[-1]}, owners[-1]


async def _zone_facts(given: Services, wanted: Wanted) -> dict[str, Any]:
    if wanted.kind == "event":
        return await books.of_event(given.pool, wanted.subject)
    this = Month.of(given.clock().astimezone(given.config.zone).date())
    try:
        first = month_of(wanted.subject if wanted.kind == "month" else f"{int(wanted.subject):04d}-01")
    except ValueError as error:
        raise Problem("invalid", detail="subject") from error
    if first.year < FIRST_YEAR:
        raise Problem("nothing_to_say")
    last = first if wanted.kind == "month" else min(Month(first.year, 12), _before(this))
    # A month that is not over would be another one tomorrow.
    if last >= this or last < first:
        raise Problem("nothing_to_say")
    return await books.of_months(given.pool, first, last, zone=given.config.zone)


def _before(month: Month) -> Month:
    return Month(month.year - 1, 12) if month.month == 1 else Month(month.year, month.month - 1)


async def _holder_name(db: Reader, owner: str) -> str:
    """The name of an organisation or an account. Raises Problem `not_found`."""
    name = await db.fetchval(
        "SELECT name FROM organisations WHERE org_id = $1"
        " UNION ALL SELECT name FROM users WHERE user_id::text = $1 AND anonymised_at IS NULL LIMIT 1",
        owner,
    )
    if name is None:
        raise Problem("not_found")
    return str(name)


async def _store(given: Services, actor: Actor, row: dict[str, Any]) -> None:
    seal = _seal(await _key(given), row)
    async with given.change() as connection:
        await connection.execute(
            f"INSERT INTO papers ({_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6::jsonb, $7, $8, $9, $10, $11, $12)",
            *(row[name] for name in ("paper_id", "kind", "subject", "language", "code")),
            json.dumps(row["facts"], ensure_ascii=False),
            *(row["sha256"], row["size_bytes"], seal, row["issued_at"], row["issued_by"], row["issued_for"]),
        )
        await write_audit(
            connection,
            at=row["issued_at"],
            actor=actor,
            action="paper_issued",
            subject=("paper", row["paper_id"]),
            after={"kind": row["kind"], "subject": row["subject"], "sha256": row["sha256"]} | _whose(row),
        )


def _whose(row: Mapping[str, Any]) -> dict[str, str]:
    """For the log of who looked at a person's data."""
    return {"person_id": row["issued_for"]} if row["issued_for"] else {}


async def _key(given: Services) -> bytes:
    return (await asyncio.to_thread(made_secret, given.config.server.data_dir / _KEY_FILE)).encode()


def _seal(key: bytes, row: Mapping[str, Any]) -> bytes:
    """A keyed hash over everything that the row says, in one spelling."""
    said = {name: row[name] for name in ("paper_id", "kind", "subject", "language", "code", "facts", "sha256")}
    said |= {"issued_at": row["issued_at"].timestamp(), "issued_by": row["issued_by"]}
    text = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hmac.digest(key, text.encode(), "sha256")


# ---------------------------------------------------------------- files and lists


def files(given: Services) -> HashedFiles:
    """Where papers lie."""
    folder = given.config.server.data_dir / _FOLDER
    return HashedFiles(folder, free_bytes_min=given.config.media.free_bytes_min, suffix=".pdf")


async def file_of(given: Services, user: CurrentUser, paper_id: str, *, remote: str = "") -> tuple[str, bytes]:
    """The number and the bytes of a paper that this person may have. Raises Problem `not_found`."""
    row = await given.pool.fetchrow(
        f"SELECT {_COLUMNS} FROM papers WHERE paper_id = $1 AND redacted_at IS NULL", paper_id
    )
    if row is None or not (user.may(Can.READ_LEDGER) or (row["issued_for"] or "-") in owners_of(user)):
        raise Problem("not_found")
    try:
        content = await asyncio.to_thread(files(given).path_of(row["sha256"]).read_bytes)
    except FileNotFoundError as error:
        raise Problem("not_found", detail="the file of this paper is gone; restore data_dir/papers") from error
    await note_access(given, Actor.of(user, remote), "paper_opened", ("paper", paper_id), what=_whose(row))
    return row["paper_id"], content


async def listed(
    given: Services, user: CurrentUser, *, kind: str = "", subject: str = "", cursor: str = "", limit: int = 50
) -> PaperPage:
    """Papers that this person may have, the newest first; `cursor` is the last number of the page before."""
    if not (user.may(Can.READ_LEDGER) or user.may(Can.APPLY)):
        raise Problem("forbidden")
    own = None if user.may(Can.READ_LEDGER) else list(owners_of(user))
    limit = min(limit, PAGE_MAX)
    rows = await given.pool.fetch(
        f"SELECT {', '.join(PaperRow.__dataclass_fields__)} FROM papers"
        " WHERE redacted_at IS NULL AND ($1::text[] IS NULL OR issued_for = ANY($1::text[])) AND ($2 = '' OR kind = $2)"
        " AND ($3 = '' OR subject = $3) AND ($4 = '' OR (issued_at, paper_id) <"
        " (SELECT issued_at, paper_id FROM papers WHERE paper_id = $4))"
        " ORDER BY issued_at DESC, paper_id DESC LIMIT $5",
        *(own, kind, subject, cursor, limit + 1),
    )
    items = tuple(PaperRow(**row) for row in rows[:limit])
    return PaperPage(items, items[-1].paper_id if len(rows) > limit else None)


async def copy_of(db: Reader, user_id: str) -> list[dict[str, Any]]:
    """A person's papers, for the copy of everything that is held about them."""
    rows = await db.fetch(
        "SELECT paper_id, kind, subject, issued_at, sha256, facts FROM papers WHERE issued_for = $1 ORDER BY issued_at",
        user_id,
    )
    return [dict(row) | {"facts": as_json(row["facts"])} for row in rows]


# ---------------------------------------------------------------- verifying


async def check(given: Services, code: str) -> Checked:
    """Whether a paper with this code was issued here, is unaltered, and still true. Raises Problem `not_found`."""
    text = crockford.normalised(code)
    row = None
    if len(text) == _CODE_CHARACTERS and crockford.decode(text) is not None:
        row = await given.pool.fetchrow(f"SELECT {_COLUMNS}, redacted_at FROM papers WHERE code = $1", text)
    if row is None:
        raise Problem("not_found")
    told = dict(row) | {"facts": as_json(row["facts"])}
    withdrawn_at = row["redacted_at"]
    genuine = withdrawn_at is None and hmac.compare_digest(bytes(row["seal"]), _seal(await _key(given), told))
    truth = books.Truth(False)
    if genuine:
        truth = await books.now_true(
            given.pool, row["kind"], told["facts"], zone=given.config.zone, issued_at=row["issued_at"]
        )
    return Checked(
        paper_id=row["paper_id"],
        kind=row["kind"],
        language=row["language"],
        issued_at=row["issued_at"],
        sha256=row["sha256"],
        genuine=genuine,
        holds=truth.holds,
        changed_since=truth.since,
        said=said(row["kind"], told["facts"]) if genuine else {},
        withdrawn_at=withdrawn_at,
    )


def said(kind: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    """What the public may see of a paper's facts: no full plate, no person, no single visit."""
    if kind in ("month", "year"):
        names = ("from", "to", "known_net_location_g", "known_net_market_g", "net_location_g", "net_market_g")
        return {name: facts[name] for name in (*names, "incomplete")}
    found = {name: facts[name] for name in ("owed_g", "covered_g", "neutralised_at")}
    found["serials"] = [f"{one['registry']} {one['vintage']} {one['serials']}" for one in facts["parts"]]
    if kind == "event":
        names = ("name", "name_en", "organiser", "starts_on", "ends_on", "people", "uncertainty_frac")
        return found | {name: facts[name] for name in names}
    plates = sorted({masked(one["plate"]) for one in facts["visits"]})
    found |= {"visits": len(facts["visits"]), "plates": plates}
    if kind == "visits":
        found |= {"from": facts["from"], "to": facts["to"]}
    return found


def masked(plate: str) -> str:
    """A plate as boards show it: the first two characters, the next one and the last, as 琼C·1***5."""
    if len(plate) < 5:
        return "***"
    return f"{plate[:2]}·{plate[2]}***{plate[-1]}"
