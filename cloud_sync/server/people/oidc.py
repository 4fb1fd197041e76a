"""Signing in by an OpenID Connect provider: owns the code flow with PKCE, and that only a verified subject is believed.

OpenID Connect Core 3.1 and RFC 7636. State and nonce are used once and bound to the browser by a cookie. The keys of
the provider prove the ID token's signature; issuer, audience, times and nonce are checked here. An account is found by
issuer and subject alone, never by a name or an e-mail address, and must have been linked before.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

import asyncpg
import httpx
import jwt

from cloud_sync.server.auth import token_hash
from cloud_sync.server.config import OidcConfig
from cloud_sync.server.people.members import account_uuid
from cloud_sync.server.problems import Problem
from cloud_sync.server.secret_files import read_secret
from cloud_sync.server.services import Services
from cloud_sync.server.store import Actor, write_audit

_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA")
_LEEWAY = timedelta(seconds=60)
_ANSWER_BYTES_MAX = 200_000


@dataclass(frozen=True, slots=True)
class Begun:
    """Where to send the browser, and what its cookie keeps meanwhile."""

    url: str
    state: str


@dataclass(frozen=True, slots=True)
class Finished:
    """A verified subject, where the person wanted to go, and whose account was to be linked."""

    issuer: str
    subject: str
    next_path: str
    user_id: str | None


def is_offered(given: Services) -> bool:
    """Whether a provider is configured."""
    return bool(given.config.oidc.issuer)


async def begin(given: Services, *, next_path: str, user_id: str | None = None) -> Begun:
    """Starts a sign-in, or the linking of `user_id`. Raises Problem `not_offered` or `provider_away`."""
    config = _config(given)
    async with _client(config) as http:
        provider = await _discovered(http, config)
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    await given.pool.execute(
        "INSERT INTO oidc_flows (state_hash, nonce, verifier, next_path, user_id, expires_at)"
        " VALUES ($1, $2, $3, $4, $5, $6)",
        token_hash(state),
        nonce,
        verifier,
        next_path,
        account_uuid(user_id) if user_id else None,
        given.clock() + timedelta(seconds=config.flow_s),
    )
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    query = {
        "response_type": "code",
        "client_id": config.client_id,
        "redirect_uri": config.redirect_url,
        "scope": " ".join(config.scopes),
        "state": state,
        "nonce": nonce,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    endpoint = provider["authorization_endpoint"]
    return Begun(f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}", state)


async def finish(given: Services, *, code: str, state: str, cookie_state: str) -> Finished:
    """What the provider says, verified. Raises Problem `provider_refused` or `provider_away`."""
    config = _config(given)
    if not state or not hmac.compare_digest(state.encode(), cookie_state.encode()):
        raise Problem("provider_refused")
    flow = await given.pool.fetchrow(
        "DELETE FROM oidc_flows WHERE state_hash = $1 AND expires_at > $2"
        " RETURNING nonce, verifier, next_path, user_id::text",
        token_hash(state),
        given.clock(),
    )
    if flow is None or not code:
        raise Problem("provider_refused")
    async with _client(config) as http:
        provider = await _discovered(http, config)
        id_token = await _exchanged(http, config, provider, code, flow["verifier"])
        keys = await _fetched(http, "GET", provider["jwks_uri"])
    claims = _verified(given, config, id_token, keys, flow["nonce"])
    return Finished(config.issuer, claims["sub"], flow["next_path"], flow["user_id"])


def _config(given: Services) -> OidcConfig:
    if not is_offered(given):
        raise Problem("not_offered")
    return given.config.oidc


def _client(config: OidcConfig) -> httpx.AsyncClient:
    return httpx.AsyncClient(timeout=config.timeout_s, follow_redirects=False, trust_env=False)


async def _fetched(http: httpx.AsyncClient, method: str, url: str, **more: Any) -> dict[str, Any]:
    """A JSON object of the provider's."""
    try:
        answer = await http.request(method, url, headers={"Accept": "application/json"}, **more)
    except httpx.HTTPError as error:
        raise Problem("provider_away", retry_after_s=30) from error
    if answer.status_code >= 500:
        raise Problem("provider_away", retry_after_s=30)
    try:
        found = answer.json() if answer.is_success and len(answer.content) <= _ANSWER_BYTES_MAX else None
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Problem("provider_refused")
    return found


async def _discovered(http: httpx.AsyncClient, config: OidcConfig) -> dict[str, str]:
    """The provider's addresses (OpenID Connect Discovery 4.3: the issuer has to be the one that was asked)."""
    found = await _fetched(http, "GET", f"{config.issuer.rstrip('/')}/.well-known/openid-configuration")
    wanted = ("authorization_endpoint", "token_endpoint", "jwks_uri")
    addresses = {name: found.get(name) for name in wanted}
    safe = all(isinstance(one, str) and _is_safe(one, config.issuer) for one in addresses.values())
    if found.get("issuer") != config.issuer or not safe:
        raise Problem("provider_refused")
    return {name: str(one) for name, one in addresses.items()}


def _is_safe(address: str, issuer: str) -> bool:
    """Whether an address that the provider names may be asked: by TLS, and no machine of ours that it points to.

    A provider on this machine or inside the house is one that the configuration names by that very host.
    """
    try:
        here, there = urlsplit(address), urlsplit(issuer)
    except ValueError:
        return False
    if here.hostname and here.hostname == there.hostname:
        return here.scheme in ("https", there.scheme)
    return here.scheme == "https" and bool(here.hostname) and not _is_inside(str(here.hostname))


def _is_inside(host: str) -> bool:
    """Whether a host is named by an address that the world does not reach, or is this machine."""
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return host == "localhost" or host.endswith((".localhost", ".local", ".internal"))


async def _exchanged(
    http: httpx.AsyncClient, config: OidcConfig, provider: dict[str, str], code: str, verifier: str
) -> str:
    """The ID token for a code."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": config.redirect_url,
        "client_id": config.client_id,
        "code_verifier": verifier,
    }
    secret = read_secret(config.client_secret_file) if config.client_secret_file else None
    proof = {"auth": httpx.BasicAuth(config.client_id, secret)} if secret else {}
    answer = await _fetched(http, "POST", provider["token_endpoint"], data=form, **proof)
    token = answer.get("id_token")
    if not isinstance(token, str):
        raise Problem("provider_refused")
    return token


def _verified(given: Services, config: OidcConfig, token: str, keys: dict[str, Any], nonce: str) -> dict[str, Any]:
    """The claims (OpenID Connect Core 3.1.3.7). Times are compared with our clock, as everything here is."""
    try:
        header = jwt.get_unverified_header(token)
        key = _key(jwt.PyJWKSet.from_dict(keys), header.get("kid"))
        claims: dict[str, Any] = jwt.decode(
            token,
            key=key,
            algorithms=list(_ALGORITHMS),
            audience=config.client_id,
            issuer=config.issuer,
            options={
                "require": ["iss", "aud", "exp", "iat", "sub"],
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
            },
        )
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        raise Problem("provider_refused") from error
    if not _is_ours(given, config, claims, nonce):
        raise Problem("provider_refused")
    return claims


def _key(keys: jwt.PyJWKSet, kid: object) -> jwt.PyJWK:
    """The key that the token names; a set with one key needs no name."""
    found = [one for one in keys.keys if kid in (None, one.key_id)]
    if len(found) != 1:
        raise Problem("provider_refused")
    return found[0]


def _is_ours(given: Services, config: OidcConfig, claims: dict[str, Any], nonce: str) -> bool:
    now, leeway = given.clock().timestamp(), _LEEWAY.total_seconds()
    times = (claims["exp"], claims["iat"])
    if not all(isinstance(one, int | float) and not isinstance(one, bool) for one in times):
        return False
    in_time = times[0] > now - leeway and times[1] < now + leeway
    for_us = isinstance(claims["aud"], str) or len(claims["aud"]) == 1 or claims.get("azp") == config.client_id
    asked = hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode())
    return in_time and for_us and asked and isinstance(claims["sub"], str) and 0 < len(claims["sub"]) <= 255


# ---------------------------------------------------------------- links


async def account_of(given: Services, issuer: str, subject: str) -> Any:
    """The linked account's row. Raises Problem `provider_unlinked`."""
    row = await given.pool.fetchrow(
        "SELECT u.user_id, u.username, u.name, u.role, u.org_id FROM oidc_links l JOIN users u USING (user_id)"
        " WHERE l.issuer = $1 AND l.subject = $2 AND u.enabled",
        issuer,
        subject,
    )
    if row is None:
        raise Problem("provider_unlinked", subject=subject)
    return row


async def link(given: Services, actor: Actor, user_id: str, subject: str) -> None:
    """Links an account to a subject of the provider. Raises Problem `already_exists` for one that is linked."""
    config, now = _config(given), given.clock()
    async with given.pool.acquire() as connection, connection.transaction():
        if not await connection.fetchval(
            "SELECT EXISTS (SELECT 1 FROM users WHERE user_id = $1 AND anonymised_at IS NULL)", account_uuid(user_id)
        ):
            raise Problem("not_found")
        try:
            await connection.execute(
                "INSERT INTO oidc_links (issuer, subject, user_id, linked_at, linked_by) VALUES ($1, $2, $3, $4, $5)",
                config.issuer,
                subject,
                account_uuid(user_id),
                now,
                actor.username,
            )
        except asyncpg.UniqueViolationError as error:
            raise Problem("already_exists") from error
        await write_audit(
            connection,
            at=now,
            actor=actor,
            action="provider_linked",
            subject=("user", user_id),
            after={"issuer": config.issuer},
        )


async def unlink(given: Services, actor: Actor, user_id: str) -> None:
    """Takes every link of an account away. Raises Problem `not_found` without one."""
    now = given.clock()
    async with given.pool.acquire() as connection, connection.transaction():
        gone = await connection.execute("DELETE FROM oidc_links WHERE user_id = $1", account_uuid(user_id))
        if gone == "DELETE 0":
            raise Problem("not_found")
        await write_audit(connection, at=now, actor=actor, action="provider_unlinked", subject=("user", user_id))


async def is_linked(given: Services, user_id: str) -> bool:
    """Whether the account signs in by the provider too."""
    found: bool = await given.pool.fetchval(
        "SELECT EXISTS (SELECT 1 FROM oidc_links WHERE user_id = $1)", account_uuid(user_id)
    )
    return found
