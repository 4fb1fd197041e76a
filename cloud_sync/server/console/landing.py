"""Where each role begins: owns the first page after signing in, and addresses that may be gone to from outside."""

from __future__ import annotations

from urllib.parse import urlsplit

from cloud_sync.server.roles import Role

LANDING = {
    Role.VISITOR: "/account",
    Role.DRIVER: "/account",
    Role.ORGANISATION: "/account",
    Role.MERCHANT: "/till",
    Role.GUARD: "/live",
    Role.OPERATOR: "/microgrid",
    Role.REVIEWER: "/reviews",
    Role.APPROVER: "/reviews",
    Role.AUDITOR: "/ledger",
    Role.ENGINEER: "/live",
}


def landing_of(role: Role) -> str:
    """The page that a person of this role begins with."""
    return LANDING[role]


def local_path(text: str, *, otherwise: str = "/") -> str:
    """A place on this site, else `otherwise`: an address from outside never redirects elsewhere."""
    parts = urlsplit(text)
    outside = parts.scheme or parts.netloc or not text.startswith("/") or text.startswith(("//", "/\\"))
    return otherwise if outside or any(ord(char) < 32 for char in text) else text
