"""The cloud's configuration: owns the shape of `cloud.toml` and how it is read and shown.

Every key has a default that suits one machine; an unknown key is an error. Secrets come by file alone.
"""

from __future__ import annotations

import re
import tomllib
import types
import typing
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from control.domain.errors import ConfigurationError

GATEWAY_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """`[server]`: where pages and API are served, and where data lies."""

    data_dir: Path = Path("cloud_data")
    host: str = "127.0.0.1"
    port: int = 8080
    name: str = "Near-zero-carbon island"
    timezone: str = "Asia/Shanghai"
    origins: tuple[str, ...] = ()
    secure_cookies: bool = False
    shutdown_timeout_s: int = 5


@dataclass(frozen=True, slots=True)
class DatabaseConfig:
    """`[database]`: empty `url` and `url_file` mean the embedded PostgreSQL below `data_dir`."""

    url: str = field(default="", repr=False)  # holds a password
    url_file: Path | None = None
    migrate_at_start: bool = True
    pool_size_max: int = 10
    command_timeout_s: float = 15.0


@dataclass(frozen=True, slots=True)
class BrokerConfig:
    """`[broker]`: `embedded` starts nats-server on loopback; `external` connects to `host`; `none` ingests nothing."""

    kind: str = "embedded"
    host: str = "127.0.0.1"
    port: int = 1883
    username: str = "cloud"
    password_file: Path | None = None
    binary: Path | None = None
    store_bytes_max: int = 1_073_741_824
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None


@dataclass(frozen=True, slots=True)
class GatewayConfig:
    """`[[gateways]]`: one gateway; `secret_file` holds its broker password, which is its bearer token too."""

    id: str
    secret_file: Path
    name: str = ""


@dataclass(frozen=True, slots=True)
class AuthConfig:
    """`[auth]`: sessions, the app's tokens, registration and its limits.

    `demo_user` makes an engineer with a random password, printed at the start, and one account of each role beside it.
    """

    session_h: float = 12.0
    idle_h: float = 2.0
    attempts_max: int = 8
    attempts_window_s: int = 300
    demo_user: str = ""
    registration: bool = True
    registrations_max: int = 10
    registrations_window_s: int = 3600
    access_token_s: int = 900
    refresh_token_days: int = 60
    refresh_leeway_s: int = 10
    guardian_code_s: int = 900


@dataclass(frozen=True, slots=True)
class OidcConfig:
    """`[oidc]`: signing in by an OpenID Connect provider; off while `issuer` is empty.

    `redirect_url` is this console's `/sign-in/provider/back` as the provider knows it.
    """

    issuer: str = ""
    client_id: str = ""
    client_secret_file: Path | None = None
    redirect_url: str = ""
    label: str = "OpenID"
    scopes: tuple[str, ...] = ("openid",)
    timeout_s: float = 5.0
    flow_s: int = 600


@dataclass(frozen=True, slots=True)
class MediaConfig:
    """`[media]`: evidence pictures and papers; none is taken while the disk has less than `free_bytes_min` left."""

    size_bytes_max: int = 8_388_608
    free_bytes_min: int = 268_435_456
    document_checks_at_once: int = 2


@dataclass(frozen=True, slots=True)
class CommandsConfig:
    """`[commands]`: what the console sends to a gate."""

    expiry_s: float = 20.0


@dataclass(frozen=True, slots=True)
class RetentionConfig:
    """`[retention]`: the daily run that deletes pictures and makes plates anonymous by dated rows."""

    enabled: bool = True
    hour: int = 3


@dataclass(frozen=True, slots=True)
class ReportsConfig:
    """`[reports]`: the public page, the page that verifies papers, and the feed for another platform."""

    public_cache_s: float = 5.0
    public_year_cache_s: float = 600.0
    verify_requests_max: int = 30
    verify_window_s: int = 60
    feed_delay_s: int = 900
    feed_recompute_days: int = 35


@dataclass(frozen=True, slots=True)
class LimitsConfig:
    """`[limits]`: how often one person, or an address that nobody signed in from, may do what costs work."""

    checks_per_hour: int = 60
    uploads_per_hour: int = 60
    papers_per_hour: int = 60
    exports_per_hour: int = 10
    provider_starts_per_hour: int = 120


@dataclass(frozen=True, slots=True)
class CloudConfig:
    """The whole of `cloud.toml`."""

    server: ServerConfig = field(default_factory=ServerConfig)
    database: DatabaseConfig = field(default_factory=DatabaseConfig)
    broker: BrokerConfig = field(default_factory=BrokerConfig)
    gateways: tuple[GatewayConfig, ...] = ()
    auth: AuthConfig = field(default_factory=AuthConfig)
    oidc: OidcConfig = field(default_factory=OidcConfig)
    media: MediaConfig = field(default_factory=MediaConfig)
    commands: CommandsConfig = field(default_factory=CommandsConfig)
    retention: RetentionConfig = field(default_factory=RetentionConfig)
    reports: ReportsConfig = field(default_factory=ReportsConfig)
    limits: LimitsConfig = field(default_factory=LimitsConfig)

    @property
    def zone(self) -> ZoneInfo:
        """Where "today" begins and ends."""
        return ZoneInfo(self.server.timezone)


def load(path: Path) -> CloudConfig:
    """Reads and checks one file; raises ConfigurationError with file and key. Relative paths start at the file."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(
            f"{path}: cannot be read ({error.strerror}). Copy cloud.example.toml there."
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: is not TOML: {error}") from error
    return _checked(_Reader(path).table(CloudConfig, raw, ""), path)


class _Reader:
    """Turns a TOML table into a dataclass, naming file and key where it cannot."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def table(self, shape: type, raw: dict[str, Any], where: str) -> Any:
        known = {f.name for f in fields(shape)}
        for key in raw:
            if key not in known:
                raise self._wrong(f"{where}{key}", f"is no key here; known are {', '.join(sorted(known))}")
        hints = typing.get_type_hints(shape)
        values = {key: self.value(hints[key], value, f"{where}{key}") for key, value in raw.items()}
        try:
            return shape(**values)
        except TypeError as error:
            raise self._wrong(where.rstrip("."), f"lacks a key: {error}") from error

    def value(self, hint: Any, raw: Any, where: str) -> Any:
        if typing.get_origin(hint) is types.UnionType:
            hint = next(option for option in typing.get_args(hint) if option is not type(None))
        if typing.get_origin(hint) is tuple:
            item = typing.get_args(hint)[0]
            return tuple(self.value(item, one, f"{where}[{i}]") for i, one in enumerate(self._is(raw, list, where)))
        if is_dataclass(hint):
            return self.table(typing.cast(type, hint), self._is(raw, dict, where), f"{where}.")
        if hint is Path:
            return self._path.parent / Path(self._is(raw, str, where)).expanduser()
        if hint is float and type(raw) is int:
            return float(raw)
        return self._is(raw, hint, where)

    def _is(self, raw: Any, kind: type, where: str) -> Any:
        if type(raw) is not kind:
            raise self._wrong(where, f"is {type(raw).__name__}, expected {kind.__name__}")
        return raw

    def _wrong(self, key: str, what: str) -> ConfigurationError:
        return ConfigurationError(f"{self._path}: {key} {what}")


def _checked(config: CloudConfig, path: Path) -> CloudConfig:
    """What types alone do not say."""
    problems = [*_server_problems(config), *_gateway_problems(config), *_people_problems(config)]
    if problems:
        raise ConfigurationError(f"{path}: " + "; ".join(problems))
    return config


def _server_problems(config: CloudConfig) -> list[str]:
    problems = []
    if config.broker.kind not in ("embedded", "external", "none"):
        problems.append('broker.kind must be "embedded", "external" or "none"')
    if config.broker.kind == "external" and config.broker.password_file is None:
        problems.append("broker.password_file is missing for an external broker")
    if not 0 <= config.retention.hour <= 23:
        problems.append("retention.hour must be 0 to 23")
    if not 0 <= config.server.port <= 65535 or not 0 <= config.broker.port <= 65535:
        problems.append("server.port and broker.port must be 0 to 65535")
    if config.server.host not in ("127.0.0.1", "::1", "localhost") and not config.server.secure_cookies:
        problems.append("server.host is open to others: put TLS in front of it and set server.secure_cookies = true")
    try:
        ZoneInfo(config.server.timezone)
    except (ZoneInfoNotFoundError, ValueError):
        problems.append(f"server.timezone {config.server.timezone!r} is unknown")
    return problems


def _people_problems(config: CloudConfig) -> list[str]:
    problems, oidc = [], config.oidc
    if oidc.issuer and not (oidc.client_id and oidc.redirect_url):
        problems.append("oidc.client_id and oidc.redirect_url are needed beside oidc.issuer")
    for name, url in (("issuer", oidc.issuer), ("redirect_url", oidc.redirect_url)):
        if url and not url.startswith(("https://", "http://127.0.0.1:", "http://localhost:")):
            problems.append(f"oidc.{name} must begin with https://")
    if oidc.issuer and "openid" not in oidc.scopes:
        problems.append('oidc.scopes must hold "openid"')
    return problems


def _gateway_problems(config: CloudConfig) -> list[str]:
    ids = [gateway.id for gateway in config.gateways]
    problems = [
        f"gateways.id {one!r} is not made of small letters, digits, -" for one in ids if not GATEWAY_ID.fullmatch(one)
    ]
    if len(set(ids)) < len(ids):
        problems.append("gateways.id must be used once each")
    if config.broker.username in ids:
        problems.append("broker.username must not be a gateway's id")
    return problems


def shown(config: Any, indent: str = "") -> list[str]:
    """The configuration as lines to print; a password inside a database URL is masked."""
    lines = []
    for one in fields(config):
        value = getattr(config, one.name)
        if is_dataclass(value):
            lines += [f"{indent}[{one.name}]", *shown(value, indent + "  ")]
        elif isinstance(value, tuple) and value and is_dataclass(value[0]):
            for item in value:
                lines += [f"{indent}[[{one.name}]]", *shown(item, indent + "  ")]
        else:
            lines.append(f"{indent}{one.name} = {_masked(value)}")
    return lines


def _masked(value: Any) -> str:
    return re.sub(r"(://[^:/@]*:)[^@]*@", r"\1***@", str(value))
