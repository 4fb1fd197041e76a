"""What permits need beside the database: owns the bundle that the composition root fills."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from cloud_sync.contract.signed import KeyPair
from cloud_sync.server.permits.document_store import DocumentStore
from control.carbon.offset_reports import Overdue

OverdueFor = Callable[[Any, str, Sequence[str], date], Awaitable[Sequence[Overdue]]]


@dataclass(frozen=True, slots=True)
class PermitTools:
    """`pass_key` signs passes; gateways know its public half from the downlink.

    `overdue_for(db, applicant_id, plates, today)` gives the visits whose offset is overdue.
    """

    documents: DocumentStore
    pass_key: KeyPair
    overdue_for: OverdueFor
