"""Which pictures there are: each screen of both roles by its name, who looks at it, and what is touched before.

Plain data, read by the test and by `painter.py`, which takes the pictures.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

LANGUAGES = ("zh", "en")
THEMES = ("light", "dark")
SOMEBODY, NEW, NOBODY = "somebody", "new", ""
DEVICE_CODE, WALL = "code", "wall"


@dataclass(frozen=True)
class Scene:
    """One picture: `screen` with `given`, on top of the first tab; then `taps` by test id.

    `who` looks: somebody with a history, somebody new, or nobody (not signed in). `awaits` is an id that has to be
    there before the picture. `is_cut`: without a network. `is_riding`: while a trip runs. `camera`: what it looks at.
    """

    name: str
    screen: str
    given: dict[str, Any] = field(default_factory=dict)
    who: str = SOMEBODY
    taps: tuple[str, ...] = ()
    awaits: str = ""
    is_cut: bool = False
    is_riding: bool = False
    camera: str = WALL


VISITOR = (
    Scene("sign_in", "sign_in", who=NOBODY),
    Scene("register", "register", who=NOBODY),
    Scene("home_new", "home", who=NEW),
    Scene("trips_new", "trips", who=NEW),
    Scene("history_new", "history", who=NEW),
    Scene("codes_new", "codes", who=NEW),
    Scene("home", "home", awaits="today-list"),
    Scene("home_offline", "home", awaits="today-list", is_cut=True),
    Scene("scan", "scan"),
    Scene("scan_result", "scan", awaits="scan-result", camera=DEVICE_CODE),
    Scene("scan_type", "scan", taps=("scan-type",), awaits="typed-code"),
    Scene("trips", "trips"),
    Scene("trips_running", "trips", awaits="running", is_riding=True),
    Scene("trip", "trip", {"trip_id": "trip-1"}, awaits="computed"),
    Scene("trip_held", "trip", {"trip_id": "trip-3"}, awaits="trip-verdict"),
    Scene("walk", "walk"),
    Scene("rewards", "rewards", awaits="offers"),
    Scene("reward_sheet", "rewards", taps=("item-coffee",), awaits="item-sheet"),
    Scene("code", "code", {"redemption_id": "code-1"}, awaits="qr"),
    Scene("codes", "codes", awaits="code-code-1"),
    Scene("vouchers", "vouchers"),
    Scene("person_code", "person_code"),
    Scene("history", "history"),
    Scene("entry", "entry", {"entry_id": "entry-1"}),
    Scene("act", "act", {"event_id": "act-4"}),
    Scene("appeals", "appeals"),
    Scene("goal", "goal", awaits="goal"),
    Scene("me", "me"),
    Scene("my_data", "my_data"),
    Scene("guardian", "guardian"),
    Scene("reminders", "reminders"),
    Scene("rules", "rules", awaits="methods"),
)
DRIVER = (
    Scene("permits_new", "permits", who=NEW, awaits="empty"),
    Scene("permits", "permits"),
    Scene("permits_offline", "permits", is_cut=True),
    Scene("pass", "pass", {"application_id": "P-2611-0042"}, awaits="qr"),
    Scene("pass_offline", "pass", {"application_id": "P-2611-0042"}, awaits="qr", is_cut=True),
    Scene("apply", "apply"),
    Scene("application", "application", {"application_id": "P-2611-0042"}),
    Scene("application_returned", "application", {"application_id": "P-2611-0051"}),
    Scene("emission", "emission"),
    Scene("visit", "visit", {"visit_id": "visit-1"}),
    Scene("vehicles", "vehicles"),
    Scene("vehicle", "vehicle"),
    Scene("reminders", "reminders"),
    Scene("me", "me"),
)
SCENES = {"visitor": VISITOR, "driver": DRIVER}
# Screens that are the same for both roles are pictured with the visitor.
SHARED_WITH_VISITOR = frozenset({"sign_in", "register", "my_data", "guardian", "vouchers", "rules"})


def picture_names(role: str) -> list[str]:
    """File names of every picture of a role."""
    looks = [(language, theme) for language in LANGUAGES for theme in THEMES]
    return [f"{role}-{scene.name}-{language}-{theme}.png" for scene in SCENES[role] for language, theme in looks]


def parts(wanted: tuple[str, ...] = ()) -> list[tuple[str, tuple[str, ...]]]:
    """Role and names of scenes for processes that work at the same time: about as much for each."""
    names = {
        role: tuple(one.name for one in of_role if not wanted or one.name in wanted) for role, of_role in SCENES.items()
    }
    middle = (len(names["visitor"]) + len(names["driver"])) // 2
    split = [
        ("visitor", names["visitor"][:middle]),
        ("visitor", names["visitor"][middle:]),
        ("driver", names["driver"]),
    ]
    return [(role, some) for role, some in split if some]
