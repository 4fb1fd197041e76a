"""Who is there and what they may do: owns sign-in, sessions, roles, origin and token checks, the first account.

What a role may do stands in `roles`. No default password exists.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated, Any
from urllib.parse import urlsplit
from uuid import UUID

import asyncpg
from fastapi import Depends, Request, Response

from cloud_sync.server.passwords import check_password
from cloud_sync.server.problems import Problem
from cloud_sync.server.roles import GRANTS, Can, Role
from cloud_sync.server.secret_files import read_secret, remove_secret, write_secret
from cloud_sync.server.services import Services, services

SETUP_FILE = "setup_code.txt"
DEMO_FILE = "demo_password.txt"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_FIRST_ACCOUNT_LOCK = 7_301_001


@dataclass(frozen=True, slots=True)
class CurrentUser:
    """The signed-in person. `csrf_token` goes into every form and into `X-CSRF-Token`; the app's tokens need none."""

    user_id: str
    username: str
    name: str
    role: Role
    csrf_token: str
    org_id: str | None = None
    family_id: str | None = None

    def may(self, can: Can) -> bool:
        """Whether this person's role has the permission."""
        return can in GRANTS[self.role]


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A fresh session: the cookie's token and its CSRF token."""

    token: str
    csrf_token: str
    user: CurrentUser


# ---------------------------------------------------------------- dependencies


async def current_user(request: Request, given: Annotated[Services, Depends(services)]) -> CurrentUser:
    """FastAPI dependency: the signed-in person, with origin and token checked when something is changed.

    The app's bearer token is never sent by a browser on its own, so it needs neither check.
    """
    bearer = bearer_token(request)
    if bearer:
        user = await user_of_access_token(given, bearer)
    else:
        user = await user_of_session(given, request.cookies.get(cookie_name(given)))
    if user is None:
        raise Problem("not_signed_in")
    if request.method not in _SAFE and not bearer:
        check_origin(request, given)
        await _check_token(request, user)
    request.state.user = user
    return user


def require(*cans: Can) -> Callable[..., Awaitable[CurrentUser]]:
    """FastAPI dependency: the signed-in person if their role has one of the permissions, else 403."""

    async def signed_in(user: Annotated[CurrentUser, Depends(current_user)]) -> CurrentUser:
        if not any(user.may(can) for can in cans):
            raise Problem("forbidden")
        return user

    return signed_in


def who_may(*cans: Can) -> Any:
    """The type of a handler's `user` parameter: the signed-in person who has one of the permissions."""
    return Annotated[CurrentUser, Depends(require(*cans))]


AnyPerson = Annotated[CurrentUser, Depends(current_user)]
GateViewer = who_may(Can.WATCH_GATE)
GateDecider = who_may(Can.DECIDE_AT_GATE)
ListKeeper = who_may(Can.KEEP_LISTS)
Exporter = who_may(Can.EXPORT_PASSAGES)
AuditReader = who_may(Can.READ_AUDIT)
EnergyViewer = who_may(Can.WATCH_ENERGY)
RuleReader = who_may(Can.READ_RULES)
SystemRunner = who_may(Can.RUN_SYSTEM)
AccountKeeper = who_may(Can.KEEP_ACCOUNTS)
PeopleKeeper = who_may(Can.KEEP_PEOPLE)
RuleChanger = who_may(Can.CHANGE_RULES)


def check_origin(request: Request, given: Services) -> None:
    """Refuses what another site's page sent. Programs that are no browser send neither header."""
    site = request.headers.get("sec-fetch-site")
    if site is not None and site not in ("same-origin", "none"):
        raise Problem("foreign_origin")
    origin = request.headers.get("origin")
    if origin is None:
        return
    allowed = {request.headers.get("host", ""), *(urlsplit(one).netloc for one in given.config.server.origins)}
    if urlsplit(origin).netloc not in allowed:
        raise Problem("foreign_origin")


async def _check_token(request: Request, user: CurrentUser) -> None:
    token = request.headers.get("x-csrf-token")
    form_types = ("application/x-www-form-urlencoded", "multipart/form-data")
    if token is None and request.headers.get("content-type", "").startswith(form_types):
        token = str((await request.form()).get("csrf_token", ""))
    if not hmac.compare_digest((token or "").encode(), user.csrf_token.encode()):
        raise Problem("csrf")


async def gateway_of_token(request: Request, given: Annotated[Services, Depends(services)]) -> str:
    """FastAPI dependency: the id of the gateway whose bearer token this is."""
    token = bearer_token(request)
    if not token:
        raise Problem("gateway_unknown")
    found = await given.pool.fetchval(
        "SELECT gateway_id FROM gateways WHERE token_hash = $1 AND enabled", token_hash(token)
    )
    if found is None:
        raise Problem("gateway_unknown")
    return str(found)


def bearer_token(request: Request) -> str:
    """The token of an `Authorization: Bearer` header, or empty."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


# ---------------------------------------------------------------- sessions


def cookie_name(given: Services) -> str:
    """`__Host-` binds the cookie to this host, where TLS is in front."""
    return "__Host-island_session" if given.config.server.secure_cookies else "island_session"


def set_cookie(response: Response, given: Services, token: str) -> None:
    """Puts the session into a cookie that no script can read and no other site sends."""
    response.set_cookie(
        cookie_name(given),
        token,
        max_age=int(given.config.auth.session_h * 3600),
        httponly=True,
        secure=given.config.server.secure_cookies,
        samesite="lax",
        path="/",
    )


def clear_cookie(response: Response, given: Services) -> None:
    """Takes it away again."""
    response.delete_cookie(cookie_name(given), path="/", secure=given.config.server.secure_cookies, httponly=True)


def token_hash(token: str) -> bytes:
    """What the store keeps of a random token. Tokens have 256 random bits, so one SHA-256 suffices."""
    return hashlib.sha256(token.encode()).digest()


async def user_of_session(given: Services, token: str | None) -> CurrentUser | None:
    """The person of a session that is neither over nor idle too long; marks it seen once a minute."""
    if not token:
        return None
    now = given.clock()
    row = await given.pool.fetchrow(
        "SELECT u.user_id::text, u.username, u.name, u.role, u.org_id, s.csrf_token, s.last_seen_at FROM sessions s"
        " JOIN users u USING (user_id)"
        " WHERE s.token_hash = $1 AND s.expires_at > $2 AND s.last_seen_at > $3 AND u.enabled",
        token_hash(token),
        now,
        now - timedelta(hours=given.config.auth.idle_h),
    )
    if row is None:
        return None
    if now - row["last_seen_at"] > timedelta(minutes=1):
        await given.pool.execute("UPDATE sessions SET last_seen_at = $2 WHERE token_hash = $1", token_hash(token), now)
    return _user(row, row["csrf_token"])


def _user(row: Any, csrf_token: str) -> CurrentUser:
    role = Role(row["role"])
    return CurrentUser(str(row["user_id"]), row["username"], row["name"], role, csrf_token, row["org_id"])


async def user_of_access_token(given: Services, token: str) -> CurrentUser | None:
    """The person of one of the app's access tokens that is neither over nor revoked."""
    row = await given.pool.fetchrow(
        "SELECT u.user_id::text, u.username, u.name, u.role, u.org_id, f.family_id FROM app_tokens t"
        " JOIN token_families f USING (family_id) JOIN users u USING (user_id)"
        " WHERE t.token_hash = $1 AND t.kind = 'access' AND t.expires_at > $2 AND f.revoked_at IS NULL AND u.enabled",
        token_hash(token),
        given.clock(),
    )
    return replace(_user(row, ""), family_id=row["family_id"]) if row else None


async def end_everywhere(connection: Any, user_id: UUID, at: datetime) -> None:
    """Ends every session and every token of an account."""
    await connection.execute("DELETE FROM sessions WHERE user_id = $1", user_id)
    await connection.execute(
        "UPDATE token_families SET revoked_at = $2 WHERE user_id = $1 AND revoked_at IS NULL", user_id, at
    )


async def sign_in(given: Services, username: str, password: str, *, remote: str, agent: str = "") -> SignedIn:
    """A new session. Raises Problem `wrong_credentials` or `too_many_attempts`; unknown names cost the same time."""
    return await open_session(given, await checked_account(given, username, password, remote=remote), agent)


async def checked_account(given: Services, username: str, password: str, *, remote: str) -> Any:
    """The row of the account whose password this is; raises as `sign_in` does."""
    keys = (f"user:{username.casefold()}", f"from:{remote}")
    await _count_attempt(given, keys)
    row = await given.pool.fetchrow(
        "SELECT user_id, username, name, role, org_id, password_hash FROM users WHERE username = $1 AND enabled",
        username.casefold(),
    )
    good = await given.passwords.matches(row["password_hash"] if row else None, password)
    if row is None or not good:
        raise Problem("wrong_credentials")
    await _forget_attempts(given, *keys)
    return row


async def open_session(given: Services, row: Any, agent: str) -> SignedIn:
    """A session for the account of a row with user_id, username, name, role and org_id."""
    token, csrf_token, now = secrets.token_urlsafe(32), secrets.token_urlsafe(32), given.clock()
    await given.pool.execute(
        "INSERT INTO sessions (token_hash, user_id, csrf_token, created_at, last_seen_at, expires_at, user_agent)"
        " VALUES ($1, $2, $3, $4, $4, $5, $6)",
        token_hash(token),
        row["user_id"],
        csrf_token,
        now,
        now + timedelta(hours=given.config.auth.session_h),
        agent[:200],
    )
    return SignedIn(token, csrf_token, _user(row, csrf_token))


async def sign_out(given: Services, token: str | None) -> None:
    """Ends one session."""
    await given.pool.execute("DELETE FROM sessions WHERE token_hash = $1", token_hash(token or ""))


async def _count_attempt(given: Services, keys: tuple[str, ...]) -> None:
    """Counts before the password is looked at, so that parallel guesses count as well. Keys are kept hashed."""
    now, limits = given.clock(), given.config.auth
    hashed = [hashlib.sha256(key.encode()).hexdigest() for key in keys]
    await given.pool.execute(
        "INSERT INTO sign_in_attempts (attempt_key, at) SELECT key, $2 FROM unnest($1::text[]) AS key", hashed, now
    )
    most = await given.pool.fetchval(
        "SELECT max(n) FROM (SELECT count(*) AS n FROM sign_in_attempts"
        " WHERE attempt_key = ANY($1::text[]) AND at > $2 GROUP BY attempt_key) counted",
        hashed,
        now - timedelta(seconds=limits.attempts_window_s),
    )
    if most > limits.attempts_max:
        raise Problem("too_many_attempts", retry_after_s=limits.attempts_window_s)


async def _forget_attempts(given: Services, user_key: str, from_key: str) -> None:
    """After a success: all of the name's and one of the address's, so that guesses at others stay counted."""
    user_hash, from_hash = (hashlib.sha256(key.encode()).hexdigest() for key in (user_key, from_key))
    await given.pool.execute(
        "DELETE FROM sign_in_attempts WHERE attempt_key = $1 OR ctid ="
        " (SELECT ctid FROM sign_in_attempts WHERE attempt_key = $2 ORDER BY at DESC LIMIT 1)",
        user_hash,
        from_hash,
    )


# ---------------------------------------------------------------- accounts


async def insert_user(
    connection: Any, *, username: str, name: str, role: Role, password_hash: str, at: datetime
) -> str:
    """One account; the caller writes the audit row. Raises Problem `already_exists`."""
    try:
        return str(
            await connection.fetchval(
                "INSERT INTO users (username, name, role, password_hash, created_at) VALUES ($1, $2, $3, $4, $5)"
                " RETURNING user_id",
                username.casefold(),
                name,
                role.value,
                password_hash,
                at,
            )
        )
    except asyncpg.UniqueViolationError as error:
        raise Problem("already_exists") from error


# ---------------------------------------------------------------- the first account


async def needs_setup(given: Services) -> bool:
    """Whether no account exists."""
    return not await given.pool.fetchval("SELECT EXISTS (SELECT 1 FROM users)")


async def prepare_first_account(given: Services) -> str | None:
    """At start: makes the set-up code, or the demo's account. Returns what to tell the person at the console."""
    folder, demo = given.config.server.data_dir, given.config.auth.demo_user
    if not await needs_setup(given):
        password = read_secret(folder / DEMO_FILE) if demo else None
        return f"{demo} / {password}" if password else None
    if demo:
        password = read_secret(folder / DEMO_FILE) or secrets.token_urlsafe(12)
        write_secret(folder / DEMO_FILE, password)
        await _make_first(given, demo, demo, password)
        return f"{demo} / {password}"
    code = read_secret(folder / SETUP_FILE)
    if code is None:
        code = "-".join(secrets.token_hex(2) for _ in range(5))
        write_secret(folder / SETUP_FILE, code)
    return f"/setup · {folder / SETUP_FILE}"


async def set_up(given: Services, code: str, username: str, name: str, password: str, *, remote: str) -> SignedIn:
    """Exchanges the one-time code for the first engineer. Raises Problem."""
    await _count_attempt(given, ("setup", f"from:{remote}"))
    if not await needs_setup(given):
        raise Problem("already_set_up")
    expected = read_secret(given.config.server.data_dir / SETUP_FILE)
    if expected is None or not hmac.compare_digest(code.strip().lower().encode(), expected.encode()):
        raise Problem("wrong_setup_code")
    check_password(username, password)
    row = await _make_first(given, username, name, password)
    remove_secret(given.config.server.data_dir / SETUP_FILE)
    return await open_session(given, row, "")


async def _make_first(given: Services, username: str, name: str, password: str) -> Any:
    """Under a lock, so that two workers or two people never make two first accounts."""
    hashed = await given.passwords.hash(password)
    async with given.pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _FIRST_ACCOUNT_LOCK)
        if await connection.fetchval("SELECT EXISTS (SELECT 1 FROM users)"):
            raise Problem("already_set_up")
        user_id = await insert_user(
            connection, username=username, name=name, role=Role.ENGINEER, password_hash=hashed, at=given.clock()
        )
        return await connection.fetchrow(
            "SELECT user_id, username, name, role, org_id FROM users WHERE user_id = $1", user_id
        )
