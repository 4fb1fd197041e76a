"""Where Android starts: python-for-android runs this file."""

from __future__ import annotations

import json
import os
from pathlib import Path

from mobile.ports.android.language import phone_language
from mobile.start import Choices, run

SETTINGS = Path(__file__).with_name("android.json")


def main() -> None:
    """Start with what the package was built for: `android.json` beside this file holds server and role."""
    built_for = json.loads(SETTINGS.read_text(encoding="utf-8"))
    run(
        Choices(
            role=built_for["role"],
            server=built_for["server"],
            data_dir=Path(os.environ["ANDROID_PRIVATE"]) / "island",
            phone_language=phone_language(),
        )
    )


if __name__ == "__main__":
    main()
