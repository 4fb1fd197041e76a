"""The embedded PostgreSQL: closed to others, recovers from SIGKILL, tells what is wrong, migrates once."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from cloud_sync.server import postgres
from cloud_sync.server.config import DatabaseConfig
from cloud_sync.server.postgres import EmbeddedPostgres, migrate
from control.domain.errors import ConfigurationError, DeviceError

pytestmark = pytest.mark.timeout(600)  # processes start again and again, on busy machines too
MIGRATIONS = Path(postgres.__file__).parent / "migrations" / "versions"
QUICK = {"fsync": "off", "shared_buffers": "8MB"}
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root changes users")


@pytest.fixture
def folder() -> Iterator[Path]:
    """Short, because of the socket; open, because the server is another user when we are root."""
    made = Path(tempfile.mkdtemp(prefix="island-pg-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


async def ask(url: str, question: str) -> object:
    connection = await asyncpg.connect(url, timeout=60)
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


async def test_rows_survive_sigkill_and_the_next_start_needs_no_hand(folder: Path) -> None:
    server = EmbeddedPostgres(folder, settings={**QUICK, "fsync": "on"})
    await server.start()
    await ask(server.url(), "CREATE TABLE kept AS SELECT 7 AS n")
    first = server.pid
    assert first
    os.kill(first, signal.SIGKILL)
    again = EmbeddedPostgres(folder, settings=QUICK)
    await again.start()
    assert again.pid != first
    assert await ask(again.url(), "SELECT n FROM kept") == 7
    await again.stop()
    assert again.pid is None


async def test_a_server_that_outlived_its_program_is_adopted(folder: Path) -> None:
    server = EmbeddedPostgres(folder, settings=QUICK)
    await server.start()
    again = EmbeddedPostgres(folder, settings=QUICK)
    await again.start()
    assert again.pid == server.pid
    await again.stop()
    await server.stop()


async def test_only_its_owner_gets_in(postgres_server: EmbeddedPostgres) -> None:
    home = postgres_server._home
    for path in (home, home / "data", home / "s"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    assert await ask(postgres_server.url(), "SHOW listen_addresses") == ""
    forged = postgres_server.url().replace(":" + postgres_server._password, ":guess")
    with pytest.raises(asyncpg.InvalidPasswordError):
        await ask(forged, "SELECT 1")
    text = (home / "data" / "pg_hba.conf").read_text()
    rules = [line.split()[-1] for line in text.splitlines() if line.strip() and not line.startswith("#")]
    assert set(rules) == {"scram-sha-256"}


@as_root
def test_it_does_not_run_as_root(postgres_server: EmbeddedPostgres) -> None:
    status = Path(f"/proc/{postgres_server.pid}/status").read_text()
    uid = next(line for line in status.splitlines() if line.startswith("Uid:")).split()[1]
    assert uid != "0"


@as_root
def test_closed_parents_stay_closed_and_data_goes_where_the_server_may_enter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = Path(tempfile.mkdtemp(prefix="island-shared-"))
    shared.chmod(0o755)
    monkeypatch.setattr(postgres, "SHARED_FOLDER", shared)
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    try:
        server = EmbeddedPostgres(closed / "data")
        assert server._home.parent == shared
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700
        assert EmbeddedPostgres(closed / "data")._home == server._home
    finally:
        shutil.rmtree(shared)


def test_a_long_path_gets_a_short_socket(folder: Path) -> None:
    deep = folder / ("d" * 90)
    server = EmbeddedPostgres(deep)
    sockets = server._sockets
    try:
        assert len(os.fsencode(sockets / ".s.PGSQL.5432")) <= 107
        assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
    finally:
        if not sockets.is_relative_to(folder):
            sockets.rmdir()


def test_a_link_in_its_place_is_refused(folder: Path) -> None:
    (folder / "elsewhere").mkdir()
    (folder / "postgres").symlink_to(folder / "elsewhere")
    with pytest.raises(ConfigurationError, match="another user"):
        EmbeddedPostgres(folder)


async def test_a_server_that_cannot_start_says_why(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "START_ATTEMPTS", 1)
    server = EmbeddedPostgres(folder, settings={**QUICK, "max_connections": "many"})
    with pytest.raises(DeviceError, match="max_connections"):
        await server.start()


async def test_another_major_version_is_told(folder: Path) -> None:
    server = EmbeddedPostgres(folder, settings=QUICK)
    (server._data).mkdir()
    (server._data / "PG_VERSION").write_text("15\n")
    with pytest.raises(ConfigurationError, match=r"PostgreSQL 15, this is 18"):
        await server.start()


async def test_migrations_run_once_however_many_start(postgres_server: EmbeddedPostgres) -> None:
    connection = await asyncpg.connect(postgres_server.url("postgres"))
    await connection.execute("CREATE DATABASE fresh")
    await asyncio.gather(*(migrate(postgres_server.url("fresh")) for _ in range(3)))
    newest = max(script.name.partition("_")[0] for script in MIGRATIONS.glob("[0-9]*.py"))
    assert await ask(postgres_server.url("fresh"), "SELECT version_num FROM alembic_version") == newest
    await connection.execute("DROP DATABASE fresh WITH (FORCE)")
    await connection.close()


async def test_a_wrong_database_url_is_told_without_its_password(tmp_path: Path) -> None:
    config = DatabaseConfig(url="postgresql://island:hidden@127.0.0.1:1/island")
    with pytest.raises(DeviceError, match=r"database\.url") as error:
        async with postgres.database_url(config, tmp_path) as url, postgres.opened_pool(url, config):
            pass
    assert "hidden" not in str(error.value)
