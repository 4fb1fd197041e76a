"""Starting the app on a desktop: what it says where it cannot, and how it finds a demonstration."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks._display import display
from hw_sim.bound import bound
from mobile import demo_place
from mobile.core.folder_lock import LOCK_FILE, FolderLock
from mobile.demo_place import DemoPlace

ROOT = Path(__file__).resolve().parents[2]
START_WITHIN_S = 120
PRESSES = 4


def launch(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The app's command line where there is no display, unless `environment` names one."""
    kept = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    return subprocess.run(
        [sys.executable, "-m", "mobile", *arguments],
        cwd=ROOT,
        env={**kept, **environment},
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )


@pytest.fixture
def notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Notes of demonstrations stand here and not where others run."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return tmp_path


def test_without_a_display_it_says_so(notes: Path) -> None:
    done = launch("--server", "http://127.0.0.1:9", "--data-dir", str(notes / "phone"))
    assert done.returncode == 1
    assert "needs a display" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_display_that_does_not_answer_is_told_too(notes: Path) -> None:
    done = launch("--server", "http://127.0.0.1:9", "--data-dir", str(notes / "phone"), DISPLAY=":987")
    assert done.returncode == 1
    assert "No window could be opened" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_second_one_on_the_same_folder_does_not_open(notes: Path) -> None:
    (notes / "phone").mkdir()
    lock = FolderLock(notes / "phone")
    try:
        done = launch("--server", "http://127.0.0.1:9", "--data-dir", str(notes / "phone"))
    finally:
        lock.release()
    assert done.returncode == 2
    assert done.stderr == (
        f"app: The app is open already on {notes / 'phone'}."
        " Close that window, or name another folder with --data-dir.\n"
    )
    assert sorted(one.name for one in (notes / "phone").iterdir()) == [LOCK_FILE]


def test_it_opens_its_window_and_ends_with_control_c(notes: Path) -> None:
    """The first call to the server follows the first frame, so that its coming means that the window is open."""
    with display() as environment, socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        command = bound(sys.executable, "-m", "mobile", "--server", url, "--data-dir", str(notes / "phone"))
        app = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **environment}, stderr=subprocess.PIPE, stdout=subprocess.PIPE
        )
        server.settimeout(START_WITHIN_S)
        try:
            server.accept()[0].close()
            output, complaints = _interrupted(app)
        finally:
            app.kill()
            app.wait()
    assert (app.returncode, output, complaints) == (0, b"", b"")


def _interrupted(app: subprocess.Popen[bytes]) -> tuple[bytes, bytes]:
    """Control-C, and again where nothing comes of it, as a person would press it."""
    for _ in range(PRESSES - 1):
        app.send_signal(signal.SIGINT)
        try:
            return app.communicate(timeout=START_WITHIN_S / PRESSES)
        except subprocess.TimeoutExpired:
            continue
    app.send_signal(signal.SIGINT)
    return app.communicate(timeout=START_WITHIN_S)


def test_without_a_demonstration_it_says_what_to_do(notes: Path) -> None:
    done = launch("--check")
    assert done.returncode == 1
    assert "./island demo" in done.stderr
    assert "--server" in done.stderr


@pytest.mark.parametrize(
    "server", ["127.0.0.1:8000", "ftp://cloud.example", "http://cloud.example", "https://", "https://a b"]
)
def test_what_is_no_safe_address_is_refused(notes: Path, server: str) -> None:
    done = launch("--check", "--server", server)
    assert done.returncode == 1
    assert "https://" in done.stderr


@pytest.mark.parametrize("scale", ["0.9", "2", "large"])
def test_text_sizes_have_limits(notes: Path, scale: str) -> None:
    done = launch("--text-scale", scale)
    assert done.returncode == 2
    assert "--text-scale" in done.stderr


def test_a_running_demonstration_is_found_with_its_account(notes: Path) -> None:
    with demo_place.announced(DemoPlace("http://127.0.0.1:9", "sesame", os.getpid())):
        done = launch("--check", "--role", "driver", "--data-dir", str(notes / "phone"))
        assert demo_place.running() == DemoPlace("http://127.0.0.1:9", "sesame", os.getpid())
    assert "http://127.0.0.1:9" in done.stdout
    assert "demo-driver" in done.stdout
    assert "sesame" not in done.stdout + done.stderr
    assert "does not answer" in done.stderr
    assert demo_place.running() is None


def test_a_demonstration_that_ended_without_a_word_is_not_believed(notes: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    with demo_place.announced(DemoPlace("http://127.0.0.1:9", "sesame", ended.pid)):
        assert demo_place.running() is None


def test_a_note_that_others_could_have_written_is_not_believed(notes: Path) -> None:
    with demo_place.announced(DemoPlace("http://127.0.0.1:9", "sesame", os.getpid())):
        path = demo_place.note_path()
        assert path.stat().st_mode & 0o777 == 0o600
        path.chmod(0o644)
        assert demo_place.running() is None


def test_a_later_demonstration_keeps_its_note_when_the_earlier_one_ends(notes: Path) -> None:
    later = DemoPlace("http://127.0.0.1:2", "two", os.getpid())
    with demo_place.announced(DemoPlace("http://127.0.0.1:1", "one", os.getpid())):
        note = demo_place.announced(later)
        note.__enter__()
    assert demo_place.running() == later
    note.__exit__(None, None, None)
    assert demo_place.running() is None
