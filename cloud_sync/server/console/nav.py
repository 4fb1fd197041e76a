"""The groups of the navigation: owns which of them are open on a page.

The group of the page is always open. The others are as the reader left them in this browser, else the work of every
day is open and what sets the island up is folded; there, the energy and carbon of every day make room.
"""

from __future__ import annotations

from collections.abc import Callable

NAV_COOKIE = "island_nav"
# Sections by group; what no group names belongs to none.
SECTIONS: dict[str, tuple[str, ...]] = {
    "permits": ("/reviews", "/applications", "/permits", "/visits", "/watch"),
    "energy": ("/microgrid",),
    "carbon": ("/ledger", "/reports", "/events", "/points", "/vouchers"),
    "system": (
        *("/rule-books", "/rules", "/gateways", "/vision"),
        *("/audit", "/organisations", "/data-requests", "/users"),
    ),
}
_OPEN, _FOLDED = "1", "0"


def group_of(section: str) -> str:
    """The group that a section belongs to, or empty."""
    return next((group for group, sections in SECTIONS.items() if section in sections), "")


def open_groups(section: str, cookie: str) -> Callable[[str], bool]:
    """Whether a group is open on a page of `section`; `cookie` has what the reader chose, as `energy0.system1`."""
    here = group_of(section)
    chosen = {one[:-1]: one[-1] == _OPEN for one in cookie.split(".") if one[-1:] in (_OPEN, _FOLDED)}
    folded = {"energy", "carbon"} if here == "system" else {"system"}
    return lambda group: group == here or chosen.get(group, group not in folded)
