"""The app in a real window: one display a session, and apps that end with their test."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from PIL import Image

from benchmarks._display import display
from mobile.core.client import build_client

PASSWORD = "a long enough password"
# An app in a window takes its time on a busy machine; what a test waits for has limits of its own, which say more.
TEST_WITHIN_S = 900


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The tests of this folder may take this long, unless they say otherwise themselves."""
    for item in items:
        if item.path.parent == Path(__file__).parent and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(TEST_WITHIN_S))


def _beside(name: str) -> ModuleType:
    """A module of this folder, which is no package."""
    spec = importlib.util.spec_from_file_location(f"mobile_ui_{name}", Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


_stage = _beside("stage")


@pytest.fixture(scope="session")
def screen() -> Iterator[dict[str, str]]:
    """The environment of programs that show something."""
    with display() as environment:
        yield environment


@pytest.fixture
async def stage(screen: dict[str, str], tmp_path: Path) -> AsyncIterator[Callable[..., Awaitable[Any]]]:
    """`await stage(role=..., server=...)` starts an app; without `data_dir` on a phone where it never ran."""
    apps: list[Any] = []

    async def started(
        role: str = "visitor",
        *,
        server: str = "http://127.0.0.1:9",
        data_dir: Path | None = None,
        animated: bool = False,
        **choices: Any,
    ) -> Any:
        folder = data_dir or tmp_path / f"phone-{len(apps) + 1}"
        app = await _stage.started(
            tmp_path,
            screen,
            {"role": role, "server": server, "data_dir": str(folder), "is_animated": animated, **choices},
        )
        apps.append(app)
        return app

    yield started
    for app in apps:
        app.kill()
        await app.gone()


@pytest.fixture
async def signed_in(island: Any, tmp_path: Path) -> Callable[..., Awaitable[Path]]:
    """`await signed_in("visitor")` gives the `data_dir` of a phone on which that new person is signed in."""

    async def made(role: str, *, server: str = "", username: str = "", name: str = "") -> Path:
        username = username or role
        await island.add_person(role, username, name)
        folder = tmp_path / f"phone-of-{username}"
        folder.mkdir()
        client = build_client(folder, server or island.url, role)
        await client.session.sign_in(username, PASSWORD)
        await client.stop()
        return folder

    return made


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The person's own folder, where the app's dialog for files begins: with photos of two papers."""
    folder = tmp_path / "home"
    folder.mkdir()
    for name, shade in (("receipt.png", 140), ("order.png", 180)):
        Image.new("RGB", (400, 300), (shade, shade, 200)).save(folder / name)
    monkeypatch.setenv("HOME", str(folder))
    return folder


@pytest.fixture
async def wire() -> AsyncIterator[Callable[[str], Awaitable[Any]]]:
    """`await wire(url)` gives a way to that server which can be cut and mended."""
    async with AsyncExitStack() as stack:

        async def laid(target: str) -> Any:
            made = _stage.Wire(target)
            await made.mend()
            stack.push_async_callback(made.cut)
            return made

        yield laid
