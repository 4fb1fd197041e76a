"""The pass that a driver shows: owns issuing it for a live permit, and drawing its QR code.

It is issued as of the permit's last change: the same text until something changes, and one that gates believe against
every older snapshot (decision 12).
"""

from __future__ import annotations

import io

import segno

from cloud_sync.contract import pass_code
from cloud_sync.server.permits.records import PassRecord
from cloud_sync.server.problems import Problem
from cloud_sync.server.services import Services
from cloud_sync.server.sql import in_list
from control.domain.errors import ContractError
from control.domain.permits import Permit, PermitClass
from control.permits.application import LIVE

_BORDER = 4  # ISO/IEC 18004 clause 9.1: the quiet zone is four modules wide
_PNG_SCALE = 8
_LIVE_SQL = (
    "SELECT p.* FROM permits p JOIN applications a ON a.application_id = p.permit_id WHERE p.permit_id = $1"
    f" AND p.revoked_at IS NULL AND p.valid_until > $2 AND a.status IN {in_list(LIVE)}"
)


async def issued(given: Services, application_id: str) -> PassRecord:
    """The pass of an application. Raises Problem `no_pass` when no permit of it is live, `pass_too_large`."""
    row = await given.pool.fetchrow(_LIVE_SQL, application_id, given.clock())
    if row is None:
        raise Problem("no_pass")
    permit = Permit(
        permit_id=row["permit_id"],
        plate=row["plate"],
        permit_class=PermitClass(row["permit_class"]),
        valid_from=row["valid_from"],
        valid_until=row["valid_until"],
        gates=frozenset(row["gates"]),
        entries_left=row["entries_left"],
    )
    try:
        text = pass_code.issue(permit, issued_at=row["changed_at"], key=given.permits.pass_key)
    except ContractError as error:
        raise Problem("pass_too_large", detail=str(error)) from error
    return PassRecord(
        application_id=application_id,
        plate=permit.plate,
        text=text,
        svg=_code(text).svg_inline(border=_BORDER, dark="#000", light="#fff", omitsize=True),
        issued_at=row["changed_at"],
        valid_from=permit.valid_from,
        valid_until=permit.valid_until,
        gates=tuple(sorted(permit.gates)),
        entries_left=permit.entries_left,
    )


def png(text: str) -> bytes:
    """The QR code as a picture to print; takes milliseconds, so call it in a thread."""
    drawn = io.BytesIO()
    _code(text).save(drawn, kind="png", scale=_PNG_SCALE, border=_BORDER)
    return drawn.getvalue()


def _code(text: str) -> segno.QRCode:
    """Level M in the smallest version: more correction would make the modules smaller."""
    return segno.make(text, version=pass_code.qr_version(text), error="m", mode="alphanumeric", boost_error=False)
