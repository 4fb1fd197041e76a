"""What the phone remembers is durable, belongs to one account, and survives a full or damaged disk."""

from __future__ import annotations

import sqlite3
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mobile.core import database as database_module
from mobile.core.database import SCHEMA, Database, opened_or_mended
from mobile.core.errors import StoreBroken, StoreError, StoreFull, StoreTooNew
from mobile.core.files import Files
from mobile.core.store import Store

AT = datetime(2026, 11, 21, 2, 42, 31, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "app" / "island.db"


@pytest.fixture
def store(path: Path) -> Any:
    made = Store(Database(path))
    made.account = "mei"
    yield made
    made.close()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_is_kept_is_there_again(store: Store, path: Path) -> None:
    store.cache_put("points/me", {"balance": 3, "at": AT}, AT)
    store.draft_put("application/1", {"plate": "琼A12345"})
    store.code_put("pass", "XK-1", {"text": "T"}, made_at=AT, ends_at=AT + timedelta(days=1))
    store.setting_put("look", {"theme": "dark"})
    store.close()
    again = Store(Database(path))
    again.account = "mei"
    assert again.cache_get("points/me") == ({"balance": 3, "at": AT.isoformat()}, AT)
    assert again.drafts("application/") == {"application/1": {"plate": "琼A12345"}}
    assert [(one.code_id, one.value, one.ends_at) for one in again.codes("pass")] == [
        ("XK-1", {"text": "T"}, AT + timedelta(days=1))
    ]
    assert again.setting_get("look") == {"theme": "dark"}
    again.close()


def test_nobody_sees_what_another_one_saw(store: Store) -> None:
    store.cache_put("points/me", {"balance": 3}, AT)
    store.draft_put("one", {"a": 1})
    store.code_put("pass", "XK-1", {}, made_at=AT, ends_at=None)
    store.account = "li"
    assert store.cache_get("points/me") is None
    assert store.draft_get("one") is None
    assert (store.drafts(), store.codes("pass")) == ({}, ())
    store.cache_put("points/me", {"balance": 9}, AT)
    store.draft_drop("one")
    store.forget_account("li")
    store.account = "mei"
    assert store.cache_get("points/me") == ({"balance": 3}, AT)
    assert store.draft_get("one") == {"a": 1}


def test_only_the_owner_of_the_phone_reads_the_files(store: Store, path: Path) -> None:
    store.cache_put("a", 1, AT)
    beside = [one for one in path.parent.iterdir() if one.is_file()]
    assert len(beside) == 3  # the file, its journal and its index
    assert {mode(one) for one in beside} == {0o600}
    assert mode(path.parent) == 0o700


def test_a_change_is_on_disk_when_it_returns(store: Store) -> None:
    found = [store.database.row(f"PRAGMA {name}")[0] for name in ("journal_mode", "synchronous")]
    assert found == ["wal", 2]


def test_a_full_disk_refuses_and_keeps_what_was_there(store: Store) -> None:
    store.cache_put("small", "kept", AT)
    with store.database.change() as change:
        pages = change.execute("PRAGMA page_count").fetchone()[0]
        change.execute(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(StoreFull):
        store.cache_put("large", "x" * 100_000, AT)
    assert store.cache_get("large") is None
    store.cache_put("small", "changed", AT)
    assert store.cache_get("small") == ("changed", AT)


def test_a_change_that_fails_half_way_leaves_nothing(store: Store) -> None:
    with pytest.raises(StoreError, match="no such table"), store.database.change() as change:  # noqa: PT012
        change.execute("INSERT INTO settings VALUES ('a', '1')")
        change.execute("INSERT INTO nowhere VALUES (1)")
    assert store.setting_get("a") is None


def test_a_damaged_file_is_put_aside_and_what_can_be_read_is_saved(store: Store, path: Path) -> None:
    for number in range(200):
        store.draft_put(f"draft/{number:03d}", {"text": "x" * 200})
    store.code_put("pass", "XK-1", {"text": "T"}, made_at=AT, ends_at=None)
    store.close()
    damage(path, "drafts")
    with pytest.raises(StoreBroken):
        Database(path)
    database, aside = opened_or_mended(path)
    mended = Store(database)
    mended.account = "mei"
    assert aside is not None
    assert aside.name == "island.db.damaged-1"
    assert aside.exists()
    assert len(mended.codes("pass")) == 1
    found = mended.drafts()
    assert 50 < len(found) < 200
    assert {"draft/000", "draft/199"} <= found.keys()
    mended.close()


def damage(path: Path, table: str) -> None:
    """Spoils a page in the middle of a table."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    size = connection.execute("PRAGMA page_size").fetchone()[0]
    root = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()[0]
    connection.close()
    content = bytearray(path.read_bytes())
    # Cells of an inner page of a table begin with the number of a leaf (SQLite file format, 1.6).
    start = (root - 1) * size
    cells = int.from_bytes(content[start + 3 : start + 5], "big")
    pointer = start + 12 + 2 * (cells // 2)
    cell = start + int.from_bytes(content[pointer : pointer + 2], "big")
    leaf = int.from_bytes(content[cell : cell + 4], "big")
    content[(leaf - 1) * size : (leaf - 1) * size + 200] = b"\xff" * 200
    path.write_bytes(content)


def test_a_file_that_is_none_of_sqlites_is_put_aside(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"not a database" * 100)
    database, aside = opened_or_mended(path)
    assert aside is not None
    assert aside.read_bytes() == b"not a database" * 100
    database.close()
    database, aside = opened_or_mended(path)
    assert aside is None
    database.close()


def test_a_file_of_a_newer_app_is_left_alone(path: Path, store: Store) -> None:
    with store.database.change() as change:
        change.execute(f"PRAGMA user_version = {len(SCHEMA) + 1}")
    store.close()
    with pytest.raises(StoreTooNew, match="newer version"):
        opened_or_mended(path)


def test_an_older_file_is_brought_up(path: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.setting_put("a", 1)
    store.close()
    monkeypatch.setattr(database_module, "SCHEMA", (*SCHEMA, "ALTER TABLE settings ADD COLUMN more TEXT"))
    database = Database(path)
    assert dict(database.row("SELECT * FROM settings")) == {"key": "a", "json": "1", "more": None}
    database.close()


def test_a_place_where_nothing_can_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "app").write_text("a file, not a folder")
    with pytest.raises(StoreError, match="app"):
        opened_or_mended(tmp_path / "app" / "island.db")


def test_old_things_are_forgotten_and_what_waits_is_not(store: Store) -> None:
    store.cache_put("old", 1, AT - timedelta(days=9))
    store.cache_put("new", 1, AT)
    store.code_put("pass", "ended", {}, made_at=AT, ends_at=AT - timedelta(days=9))
    store.code_put("pass", "open", {}, made_at=AT, ends_at=None)
    with store.database.change() as change:
        for number, state in enumerate(("waiting", "sent", "refused")):
            change.execute(
                "INSERT INTO outbox (account, kind, key, body, made_at, state, ended_at)"
                " VALUES ('mei', 'scan', ?, '{}', ?, ?, ?)",
                (str(number), AT.isoformat(), state, (AT - timedelta(days=9)).isoformat(timespec="microseconds")),
            )
    store.tidy(AT - timedelta(days=5))
    left = store.database.rows("SELECT state FROM outbox ORDER BY key")
    assert [one["state"] for one in left] == ["waiting", "refused"]  # a refusal is read first
    assert store.cache_get("old") is None
    assert store.cache_get("new") is not None
    assert [one.code_id for one in store.codes("pass")] == ["open"]


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=("Cs",))),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=3),
    max_leaves=8,
)


def test_the_newest_of_each_account_and_key_is_there(store: Store) -> None:
    @settings(max_examples=25)
    @given(steps=st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(["k", "k/1", "K"]), JSON), max_size=6))
    def holds(steps: list[tuple[str, str, Any]]) -> None:
        expected: dict[tuple[str, str], Any] = {}
        for account, key, value in steps:
            store.account = account
            store.cache_put(key, value, AT)
            expected[account, key] = value
        for (account, key), value in expected.items():
            store.account = account
            assert store.cache_get(key) == (value, AT)

    holds()


def test_what_is_forgotten_leaves_no_trace(store: Store, path: Path) -> None:
    store.draft_put("a", {"said": "a very private sentence"})
    aside = path.with_name(f"{path.name}.damaged-1")
    aside.write_bytes(b"a very private sentence")
    store.forget_account("mei")
    assert not aside.exists()
    for one in path.parent.iterdir():
        assert b"very private" not in one.read_bytes()


# ---------------------------------------------------------------- files


def test_files_belong_to_an_account_and_are_named_by_what_is_in_them(store: Store, tmp_path: Path) -> None:
    files = Files(tmp_path / "files", store)
    name = files.keep(b"a picture")
    assert files.keep(b"a picture") == name
    assert files.read(name) == b"a picture"
    assert mode(files.path(name)) == 0o600
    store.account = "li"
    with pytest.raises(StoreError):
        files.read(name)
    files.drop(name)
    files.forget_account("li")
    store.account = "mei"
    assert files.read(name) == b"a picture"
    files.forget_account("mei")
    assert not files.path(name).exists()


def test_a_file_that_could_not_be_written_whole_is_not_there(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    files = Files(tmp_path / "files", store)
    monkeypatch.setattr("mobile.core.files.os.fsync", no_room)
    with pytest.raises(StoreFull):
        files.keep(b"a picture")
    assert [one for one in (tmp_path / "files").rglob("*") if one.is_file()] == []
