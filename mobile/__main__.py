"""`./island app --role visitor|driver`: the app in a window of the desktop, by default against the running demo."""

from __future__ import annotations

import argparse
import os
import re
import sys
from pathlib import Path

from control.domain.errors import IslandError
from mobile import demo_place
from mobile.core.folder_lock import FolderTaken
from mobile.core.server_url import checked_server_url
from mobile.start import Choices, run
from mobile.ui import window

EXIT_FAILED = 1
EXIT_OPEN_ALREADY = 2
CHECK_WITHIN_S = 3.0


def main(arguments: list[str] | None = None) -> int:
    """Open the window; 0 when it was closed, 1 when it could not open, 2 when the app is open already."""
    parsed = _parser().parse_args(arguments)
    try:
        choices = _choices(parsed)
        if parsed.check:
            return _check(choices)
        run(choices)
    except FolderTaken as error:
        print(f"app: {error}", file=sys.stderr)
        return EXIT_OPEN_ALREADY
    except (IslandError, OSError) as error:
        print(f"app: {error}", file=sys.stderr)
        return EXIT_FAILED
    except KeyboardInterrupt:
        return 0
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="island app", description=__doc__)
    parser.add_argument("--role", choices=("visitor", "driver"), default="visitor", help="whose app (default: visitor)")
    parser.add_argument("--server", metavar="URL", help="the cloud (default: the demo that runs on this machine)")
    parser.add_argument("--data-dir", type=Path, help="where the app keeps what it knows (default: one a server)")
    parser.add_argument("--language", choices=("zh", "en"), help="default: as it was left")
    parser.add_argument("--theme", choices=("light", "dark", "auto"), help="default: as it was left")
    parser.add_argument("--text-scale", type=_text_scale, metavar="1.0..1.6", help="default: as it was left")
    parser.add_argument("--camera", default="", help="a device's number, or a picture, folder or stream (default: 0)")
    parser.add_argument("--check", action="store_true", help="say what would be used, and whether it would work")
    return parser


def _text_scale(text: str) -> float:
    value = float(text)
    if not 1.0 <= value <= 1.6:
        raise argparse.ArgumentTypeError("must be from 1.0 to 1.6")
    return value


def _choices(parsed: argparse.Namespace) -> Choices:
    demo = demo_place.running()
    server = parsed.server or (demo.url if demo else None)
    if server is None:
        raise IslandError(
            "No demo is running on this machine. Start one in another terminal with ./island demo,"
            " or name a cloud: ./island app --server https://cloud.example"
        )
    server = checked_server_url(server).rstrip("/")
    is_demo = demo is not None and server == demo.url
    return Choices(
        role=parsed.role,
        server=server,
        data_dir=parsed.data_dir or _data_dir(parsed.role, "demo" if is_demo else server),
        language=parsed.language,
        theme=parsed.theme,
        text_scale=parsed.text_scale,
        demo_account=demo.account(parsed.role) if demo and is_demo else None,
        camera=parsed.camera,
    )


def _data_dir(role: str, server: str) -> Path:
    """A folder a server and role below the user's data."""
    base = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    name = re.sub(r"[^A-Za-z0-9.]+", "-", server.rstrip("/"))
    return base / "near-zero-island" / f"{role}-{name}"


def _check(choices: Choices) -> int:
    """Print what would be used; 0 when the window could open and the cloud answers."""
    problems = []
    try:
        window.require_display()
    except window.NoDisplay as error:
        problems.append(str(error))
    if not _answers(choices.server):
        problems.append(f"{choices.server} does not answer; the app opens all the same and shows what it has.")
    print(f"role       {choices.role}\nserver     {choices.server}\ndata       {choices.data_dir}")
    print(f"account    {choices.demo_account[0] if choices.demo_account else 'sign in yourself'}")
    for problem in problems:
        print(f"app: {problem}", file=sys.stderr)
    return EXIT_FAILED if problems else 0


def _answers(server: str) -> bool:
    import httpx

    try:
        return httpx.get(f"{server}/api/v1/health", timeout=CHECK_WITHIN_S, trust_env=False).is_success
    except httpx.HTTPError:
        return False


if __name__ == "__main__":
    sys.exit(main())
