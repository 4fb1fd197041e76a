"""The ports on Android, on stand-ins for its classes: what is asked of the phone, and what is said when it refuses."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from mobile.ports.files import FileUnreadable, Kind
from mobile.ports.papers import PDF, Handed, PaperNotGiven

RESULT_OK, RESULT_CANCELLED = -1, 0


class JavaException(Exception):
    """As pyjnius raises it."""


class Intent:
    """What it was filled with."""

    ACTION_OPEN_DOCUMENT, ACTION_CREATE_DOCUMENT = "open", "create"
    CATEGORY_OPENABLE, EXTRA_MIME_TYPES, EXTRA_TITLE = "openable", "types", "title"

    def __init__(self, action: str) -> None:
        self.action, self.extras, self.type = action, {}, ""

    def addCategory(self, category: str) -> None:
        assert category == self.CATEGORY_OPENABLE

    def setType(self, media_type: str) -> None:
        self.type = media_type

    def putExtra(self, name: str, value: Any) -> None:
        self.extras[name] = value


class Cursor:
    """One row with a name, or none."""

    def __init__(self, name: str | None) -> None:
        self._name, self.is_closed = name, False

    def moveToFirst(self) -> bool:
        return self._name is not None

    def isNull(self, column: int) -> bool:
        return column != 0

    def getString(self, column: int) -> str | None:
        return self._name

    def close(self) -> None:
        self.is_closed = True


class Address:
    """A content address; its bytes lie at `path`."""

    def __init__(self, path: Path, segment: str = "msf:31") -> None:
        self.path, self._segment = path, segment

    def getLastPathSegment(self) -> str:
        return self._segment


class Phone:
    """The activity, the resolver and the person: fields say how they behave, and what was done."""

    def __init__(self, folder: Path) -> None:
        self.camera_allowed, self.says_yes = True, True
        self.refuses = ""
        self.result, self.data = RESULT_OK, None
        self.cursor: Cursor | None = Cursor("insurance.pdf")
        self.photo: Address | None = Address(folder / "photo.jpg")
        self.listeners: list[Callable[[int, int, Any], None]] = []
        self.started: list[Intent] = []
        self.asked: list[str] = []
        self.deleted: list[Address] = []
        self.modes: list[str] = []

    def may(self, what: str) -> None:
        if self.refuses == what:
            raise JavaException(what)

    def startActivityForResult(self, intent: Intent, request: int) -> None:
        self.may("start")
        self.started.append(intent)
        for listener in list(self.listeners):
            listener(request + 1, RESULT_OK, "of somebody else")
            before = list(self.listeners)
            listener(request, self.result, self.data)
            assert self.listeners == before, "Android's list was changed while Android went through it"

    def getContentResolver(self) -> Phone:
        return self

    def insert(self, collection: str, values: object) -> Address | None:
        self.may("insert")
        return self.photo

    def delete(self, address: Address, where: None, arguments: None) -> None:
        self.deleted.append(address)
        self.may("delete")

    def query(self, address: Address, columns: list[str], *_: None) -> Cursor | None:
        assert columns == ["_display_name"]
        self.may("query")
        return self.cursor

    def openFileDescriptor(self, address: Address, mode: str) -> Any:
        self.may("open")
        self.modes.append(mode)
        flags = os.O_RDONLY if mode == "r" else os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        return SimpleNamespace(detachFd=lambda: os.open(address.path, flags))

    def ask(self, permissions: list[str], answered: Callable[[list[str], list[bool]], None]) -> None:
        self.asked += permissions
        self.camera_allowed = self.says_yes
        answered(permissions, [self.says_yes])


CLASSES = {
    "android.content.Intent": Intent,
    "android.content.ContentValues": SimpleNamespace,
    "android.provider.MediaStore": SimpleNamespace(ACTION_IMAGE_CAPTURE="capture", EXTRA_OUTPUT="output"),
    "android.provider.MediaStore$Images$Media": SimpleNamespace(EXTERNAL_CONTENT_URI="images"),
    "android.provider.OpenableColumns": SimpleNamespace(DISPLAY_NAME="_display_name"),
}


def module(name: str, **members: Any) -> ModuleType:
    made = ModuleType(name)
    vars(made).update(members)
    return made


@pytest.fixture
def phone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Phone:
    phone = Phone(tmp_path)
    activity = SimpleNamespace(
        bind=lambda on_activity_result: phone.listeners.append(on_activity_result),
        unbind=lambda on_activity_result: phone.listeners.remove(on_activity_result),
    )
    permissions = module(
        "android.permissions",
        Permission=SimpleNamespace(CAMERA="CAMERA"),
        check_permission=lambda _permission: phone.camera_allowed,
        request_permissions=phone.ask,
    )
    jnius = module("jnius", JavaException=JavaException, autoclass=CLASSES.__getitem__, cast=lambda _kind, value: value)
    for one in (module("android", activity=activity, mActivity=phone), permissions, jnius):
        monkeypatch.setitem(sys.modules, one.__name__, one)
    return phone


@pytest.fixture
def port(phone: Phone) -> Iterator[Callable[[str], Any]]:
    """A module of `mobile.ports.android`, made for this phone and forgotten after the test."""
    package = importlib.import_module("mobile.ports.android")

    def forget() -> None:
        for name in [one for one in sys.modules if one.startswith("mobile.ports.android.")]:
            del sys.modules[name]
            vars(package).pop(name.rpartition(".")[2], None)

    forget()
    yield lambda name: importlib.import_module(f"mobile.ports.android.{name}")
    forget()


@pytest.fixture
def files(port: Callable[[str], Any]) -> Any:
    return port("files").AndroidFiles()


@pytest.fixture
def papers(port: Callable[[str], Any]) -> Any:
    return port("papers").AndroidPapers()


def given(path: Path, content: bytes) -> Any:
    path.write_bytes(content)
    return SimpleNamespace(getData=lambda: Address(path))


async def test_a_chosen_paper_has_the_name_that_its_app_calls_it(files: Any, phone: Phone, tmp_path: Path) -> None:
    phone.data = given(tmp_path / "31", b"%PDF-")
    chosen = await files.choose(Kind.PAPER)
    assert (chosen.name, chosen.content) == ("insurance.pdf", b"%PDF-")
    assert phone.started[0].extras == {"types": ["image/*", "application/pdf"]}
    assert phone.cursor is not None
    assert phone.cursor.is_closed
    assert phone.listeners == []


@pytest.mark.parametrize("cursor", [None, Cursor(None)])
async def test_without_a_name_the_address_is_one(
    files: Any, phone: Phone, tmp_path: Path, cursor: Cursor | None
) -> None:
    phone.data, phone.cursor = given(tmp_path / "31", b"x"), cursor
    assert (await files.choose(Kind.PICTURE)).name == "msf:31"


async def test_who_goes_back_gives_nothing(files: Any, papers: Any, phone: Phone, tmp_path: Path) -> None:
    phone.result = RESULT_CANCELLED
    assert await files.choose(Kind.PAPER) is None
    assert await files.photograph() is None
    assert await papers.hand_over(tmp_path / "visits.pdf", PDF) is Handed.LEFT
    assert phone.deleted == [phone.photo]
    assert phone.listeners == []


async def test_the_camera_is_asked_for_before_a_photo(files: Any, phone: Phone, tmp_path: Path) -> None:
    """The camera app answers without data; the photo lies where it was told to write, and goes away again."""
    phone.camera_allowed, phone.cursor = False, Cursor("photo.jpg")
    (tmp_path / "photo.jpg").write_bytes(b"\xff\xd8\xff")
    taken = await files.photograph()
    assert (taken.name, taken.content) == ("photo.jpg", b"\xff\xd8\xff")
    assert phone.asked == ["CAMERA"]
    assert phone.started[0].extras == {"output": phone.photo}
    assert phone.deleted == [phone.photo]


async def test_without_the_camera_nothing_is_started(files: Any, phone: Phone) -> None:
    phone.camera_allowed = phone.says_yes = False
    with pytest.raises(FileUnreadable, match="settings"):
        await files.photograph()
    assert phone.started == []


@pytest.mark.parametrize("refused", ["start", "insert", "open"])
async def test_what_android_refuses_is_a_sentence(files: Any, phone: Phone, tmp_path: Path, refused: str) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"x")
    phone.refuses = refused
    with pytest.raises(FileUnreadable, match=refused):
        await files.photograph()
    assert phone.listeners == []
    assert phone.deleted == ([] if refused == "insert" else [phone.photo])


async def test_no_place_for_a_photo_is_a_sentence(files: Any, phone: Phone) -> None:
    phone.photo = None
    with pytest.raises(FileUnreadable, match="no place"):
        await files.photograph()


@pytest.mark.parametrize("refused", ["query", "delete"])
async def test_a_missing_name_or_a_photo_that_stays_hinders_nobody(
    files: Any, phone: Phone, tmp_path: Path, refused: str
) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"x")
    phone.refuses = refused
    assert (await files.photograph()).content == b"x"


async def test_a_very_large_file_is_refused(files: Any, phone: Phone, tmp_path: Path, port: Any) -> None:
    phone.data = given(tmp_path / "31", b"12345")
    port("files").FILE_BYTES_MAX = 4
    with pytest.raises(FileUnreadable, match="smaller"):
        await files.choose(Kind.PAPER)


async def test_a_paper_is_written_where_the_person_wants_it(papers: Any, phone: Phone, tmp_path: Path) -> None:
    paper = tmp_path / "visits.pdf"
    paper.write_bytes(b"%PDF-")
    phone.data = given(tmp_path / "chosen", b"an older and longer paper")
    assert await papers.hand_over(paper, PDF) is Handed.GIVEN
    assert (tmp_path / "chosen").read_bytes() == b"%PDF-"
    assert (phone.started[0].type, phone.started[0].extras) == (PDF, {"title": "visits.pdf"})
    assert (phone.modes, phone.listeners) == (["wt"], [])


@pytest.mark.parametrize("refused", ["start", "open"])
async def test_a_place_that_takes_no_paper_is_told(papers: Any, phone: Phone, tmp_path: Path, refused: str) -> None:
    phone.data = given(tmp_path / "chosen", b"")
    phone.refuses = refused
    with pytest.raises(PaperNotGiven, match="another place"):
        await papers.hand_over(tmp_path / "visits.pdf", PDF)


@pytest.mark.parametrize(("locale", "spoken"), [("zh", "zh"), ("en", "en"), ("fr", "en")])
def test_the_first_language_is_the_phones(
    port: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch, locale: str, spoken: str
) -> None:
    default = SimpleNamespace(getLanguage=lambda: locale)
    monkeypatch.setitem(CLASSES, "java.util.Locale", SimpleNamespace(getDefault=lambda: default))
    assert port("language").phone_language() == spoken
