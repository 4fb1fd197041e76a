"""Keys, jumps and short answers: owns what `?` shows, where `G` leads, and the sentence after each act."""

from __future__ import annotations

from cloud_sync.server.auth import CurrentUser, Role
from cloud_sync.server.console.labels import N_
from cloud_sync.server.console.words import Words

PAGES = (
    ("/live", "scan-eye", N_("Live gate"), "L", Role.GUARD),
    ("/passages", "list", N_("Passages"), "H", Role.GUARD),
    ("/lanes", "construction", N_("Lanes and devices"), "D", Role.GUARD),
    ("/permits", "shield-check", N_("Permits"), "P", Role.GUARD),
    ("/watch", "list-x", N_("Watch list"), "B", Role.GUARD),
    ("/microgrid", "zap", N_("Microgrid"), "G", Role.GUARD),
    ("/microgrid/what-if", "git-compare-arrows", N_("What-if"), "W", Role.GUARD),
    ("/microgrid/chargers", "plug-zap", N_("Charging and V2G"), "C", Role.GUARD),
    ("/microgrid/pv", "sun", N_("Solar strings"), "", Role.GUARD),
    ("/microgrid/alarms", "bell", N_("Alarms of the microgrid"), "", Role.GUARD),
    ("/microgrid/history", "activity", N_("Telemetry"), "", Role.GUARD),
    ("/microgrid/settings", "sliders-horizontal", N_("Settings of the microgrid"), "", Role.GUARD),
    ("/rules", "scroll-text", N_("Rules in force"), "R", Role.GUARD),
    ("/gateways", "router", N_("Gateways"), "E", Role.GUARD),
    ("/vision", "scan-search", N_("Vehicle types"), "V", Role.GUARD),
    ("/audit", "fingerprint-pattern", N_("Audit trail"), "A", Role.OFFICE),
    ("/users", "users", N_("Accounts"), "U", Role.ENGINEER),
    ("/account", "circle-user", N_("Your account"), "", Role.GUARD),
)
DONE = {
    "permit_added": N_("Permit added. It is on its way to every gate."),
    "permit_revoked": N_("Permit revoked. The gates learn it at once."),
    "watch_added": N_("Added to the list. It is on its way to every gate."),
    "watch_removed": N_("Taken off the list."),
    "user_added": N_("Account added."),
    "user_changed": N_("Account changed."),
    "password_set": N_("Password set. Other sessions of the account have ended."),
    "saved": N_("Saved."),
    "ordered_admit": N_("Sent to the gate: admit."),
    "ordered_admit_under_permit": N_("Sent to the gate: admit under the permit."),
    "ordered_refuse": N_("Sent to the gate: refuse."),
    "corrected": N_("Plate corrected. The raw reading is kept."),
    "revised": N_("Revision written. The barrier was not moved."),
    "noted": N_("Note saved."),
    "energy_staged": N_("Staged. It changes nothing until you put it in force."),
    "energy_scheduled": N_("Sent to the gateway. It takes effect at its time."),
    "energy_released": N_("Sent to the gateway. It is in force when the gateway says so."),
    "energy_discarded": N_("Discarded. Nothing changes."),
    "energy_rolled_back": N_("The earlier settings are on their way to the gateway."),
    "energy_cancelled": N_("What was scheduled will not take effect."),
    "energy_draft_kept": N_("Draft kept. Compare it, then stage it."),
    "energy_draft_dropped": N_("Back to what is in force."),
    "energy_taken_over": N_("Sent to the gateway. It answers here within seconds."),
    "head_ordered": N_("Sent to the gateway. It answers here within a minute."),
}
HELP = (
    (
        N_("Everywhere"),
        (
            (("/",), N_("Find or jump")),
            (("?",), N_("All keys")),
            (("J", "K"), N_("Next, previous")),
            (("Enter",), N_("Open")),
            (("Esc",), N_("Back, close")),
            (("T",), N_("Jump to a time")),
            (("[", "]"), N_("Earlier, newest")),
        ),
    ),
    (
        N_("At the gate"),
        (
            (("1", "2"), N_("Choose a reading")),
            (("P",), N_("Admit under the permit")),
            (("A",), N_("Admit, with a reason")),
            (("R",), N_("Refuse, with a reason")),
            (("E",), N_("Correct the plate")),
            (("Z",), N_("Zoom the picture")),
            (("N",), N_("Add a note")),
            (("U",), N_("Revise the last decision")),
        ),
    ),
)


def jumps(words: Words, user: CurrentUser | None) -> tuple[tuple[str, str, str, str], ...]:
    """The pages that this person may open: address, icon, name, letter."""
    if user is None:
        return ()
    return tuple((href, icon, words.gettext(text), key) for href, icon, text, key, role in PAGES if user.may(role))


def key_help(words: Words) -> tuple[tuple[str, tuple[tuple[tuple[str, ...], str], ...]], ...]:
    """All keys, by where they work."""
    groups = [
        (words.gettext(heading), tuple((pressed, words.gettext(text)) for pressed, text in rows))
        for heading, rows in HELP
    ]
    going = tuple((("G", key), words.gettext(text)) for _, _, text, key, _ in PAGES if key)
    return (*groups, (words.gettext("Go to"), going))


def done_sentence(words: Words, code: str) -> str:
    """What was done, or "" for a code of nobody's."""
    return words.gettext(DONE[code]) if code in DONE else ""
