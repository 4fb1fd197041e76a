"""Which servers the app speaks to: owns that passwords and tokens go nowhere unencrypted."""

from __future__ import annotations

import re
from ipaddress import ip_address
from urllib.parse import urlsplit

from control.domain.errors import ConfigurationError


def checked_server_url(url: str) -> str:
    """The address as it is, when it is https, or http to this very machine. Raises ConfigurationError."""
    if not re.fullmatch(r"[a-z]+://\S+", url):
        raise ConfigurationError(f"{url!r}: the server's address has to begin with https:// and name a host")
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port  # reads it: raises ValueError
    except ValueError as error:
        raise ConfigurationError(f"the server's address {url!r} cannot be read: {error}") from error
    if parts.scheme == "https" and host:
        return url
    if parts.scheme == "http" and _is_loopback(host):
        return url
    raise ConfigurationError(f"{url!r}: the server's address has to begin with https://; http:// is for this machine")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
