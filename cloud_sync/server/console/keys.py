"""Keys, jumps and short answers: owns what `?` shows, where `G` leads, and the sentence after each act."""

from __future__ import annotations

from cloud_sync.server.auth import CurrentUser
from cloud_sync.server.console import people_words
from cloud_sync.server.console.labels import N_
from cloud_sync.server.console.words import Words
from cloud_sync.server.roles import Can

PAGES = (
    ("/live", "scan-eye", N_("Live gate"), "L", Can.WATCH_GATE),
    ("/passages", "list", N_("Passages"), "H", Can.WATCH_GATE),
    ("/lanes", "construction", N_("Lanes and devices"), "D", Can.WATCH_GATE),
    ("/reviews", "stamp", N_("Review of permits"), "K", Can.READ_APPLICATIONS),
    ("/reviews/new", "copy", N_("File for somebody"), "", Can.REVIEW),
    ("/permits", "shield-check", N_("Permits"), "P", Can.WATCH_GATE),
    ("/visits", "route", N_("Visits"), "S", Can.READ_APPLICATIONS),
    ("/watch", "list-x", N_("Watch list"), "B", Can.WATCH_GATE),
    ("/microgrid", "zap", N_("Microgrid"), "G", Can.WATCH_ENERGY),
    ("/microgrid/what-if", "git-compare-arrows", N_("What-if"), "W", Can.WATCH_ENERGY),
    ("/microgrid/chargers", "plug-zap", N_("Charging and V2G"), "C", Can.WATCH_ENERGY),
    ("/microgrid/pv", "sun", N_("Solar strings"), "", Can.WATCH_ENERGY),
    ("/microgrid/alarms", "bell", N_("Alarms of the microgrid"), "", Can.WATCH_ENERGY),
    ("/microgrid/history", "activity", N_("Telemetry"), "", Can.WATCH_ENERGY),
    ("/microgrid/settings", "sliders-horizontal", N_("Settings of the microgrid"), "", Can.WATCH_ENERGY),
    ("/points", "leaf", N_("Points"), "O", Can.READ_POINTS),
    ("/points/devices", "qr-code", N_("Devices that show codes"), "", Can.READ_POINTS),
    ("/points/appeals", "message-square", N_("Appeals about points"), "", Can.READ_POINTS),
    ("/points/methods", "scroll-text", N_("Methods of points"), "", Can.READ_POINTS),
    ("/points/catalogue", "gift", N_("Catalogue"), "", Can.READ_POINTS),
    ("/vouchers", "ticket", N_("Vouchers"), "Y", Can.READ_POINTS),
    ("/vouchers/statements", "receipt", N_("Statements of merchants"), "", Can.READ_POINTS),
    ("/till", "store", N_("Counter"), "", Can.SERVE_AT_MERCHANT),
    ("/rule-books", "gavel", N_("Rule books"), "F", Can.READ_RULES),
    ("/ledger", "scale", N_("Carbon ledger"), "N", Can.READ_LEDGER),
    ("/ledger/credits", "leaf", N_("Credits and retirements"), "", Can.READ_LEDGER),
    ("/reports", "file-chart-column", N_("Reports"), "T", Can.READ_LEDGER),
    ("/events", "calendar-check", N_("Events"), "X", Can.READ_LEDGER),
    ("/rules", "scroll-text", N_("Rules in force"), "R", Can.READ_RULES),
    ("/gateways", "router", N_("Gateways"), "E", Can.WATCH_GATE),
    ("/vision", "scan-search", N_("Vehicle types"), "V", Can.WATCH_GATE),
    ("/audit", "fingerprint-pattern", N_("Audit trail"), "A", Can.READ_AUDIT),
    ("/organisations", "building", N_("Organisations"), "M", Can.KEEP_PEOPLE),
    ("/data-requests", "message-square", N_("Requests about personal data"), "Q", Can.KEEP_PEOPLE),
    ("/users", "users", N_("Accounts"), "U", Can.KEEP_ACCOUNTS),
    ("/account", "circle-user", N_("Your account"), "", None),
    ("/account/data", "file-text", N_("Your data"), "", None),
)
DONE = {
    "permit_revoked": N_("Permit revoked. The gates learn it at once."),
    "permit_returned": N_("Returned. The applicant reads the remarks beside the fields."),
    "permit_refused": N_("Refused. The applicant reads the reason and may appeal."),
    "permit_approved_first": N_("First approval kept. An approver has to give the second."),
    "approval_undone": N_("Taken back. It waits for a decision again."),
    "permit_appeal_granted": N_("Appeal granted."),
    "permit_appeal_granted_first": N_("First approval of the appeal kept. Another approver has to give the second."),
    "permit_appeal_rejected": N_("Appeal rejected. The earlier decision stands."),
    "permit_appeal_recorded": N_("Appeal recorded. An approver decides it."),
    "reminder_seen": N_("Noted as seen. It stays here until it is done."),
    "draft_kept": N_("Draft kept."),
    "application_submitted": N_("Submitted. Somebody else reviews it."),
    "application_copied": N_("Copied. Window and papers have to be given anew."),
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
    "points_released": N_("Released. The points are in the person's account."),
    "points_refused": N_("Refused. The person can appeal."),
    "points_taken_back": N_("Taken back by a reversal; the account shows both."),
    "appeal_granted": N_("Points given. The person reads your answer."),
    "appeal_refused": N_("Appeal refused. The person reads your answer."),
    "points_reversed": N_("Taken back. The person can appeal."),
    "device_switched": N_("Device switched."),
    "device_clock_set": N_("Noted. The clock is learnt anew from the next scans."),
    "way_set": N_("Written. Trips count by it from its day on."),
    "item_added": N_("On offer now."),
    "item_changed": N_("Item changed. What was bought keeps its price."),
    "item_ended": N_("Taken off. Codes that are out stay good."),
    "merchant_set": N_("Saved what the merchant may confirm."),
    "scheme_proposed": N_("Proposed. It waits for a second person."),
    "scheme_approved": N_("Approved. Vouchers can be issued under it."),
    "scheme_ended": N_("Ended. Vouchers that are out keep their time."),
    "voucher_issued": N_("Voucher issued. The organisation finds it in its account."),
    "month_settled": N_("Month settled."),
    "retirement_proposed": N_("Sent for review. The units are kept for it."),
    "retirement_confirmed": N_("Retired. The oldest visits are covered."),
    "retirement_cancelled": N_("Cancelled. The units are free again."),
    "credits_bought": N_("The purchase is in the book."),
    "credits_taken_back": N_("The purchase was reversed."),
    "evidence_declared": N_("Evidence added. The figure is computed again."),
    "visit_corrected": N_("Corrected by a further entry."),
    "paper_issued": N_("Issued. Its number opens it."),
    "green_power_added": N_("Evidence kept. The month counts it."),
    "sink_added": N_("Sink kept. The month counts it."),
    "evidence_withdrawn": N_("Withdrawn. It counts no longer."),
    "feed_token_revoked": N_("Revoked. The platform reads no more."),
    "event_opened": N_("Account opened. Add what was counted."),
    "event_closed": N_("Closed. The footprint is in the book."),
    "event_reopened": N_("Open again. The debit was reversed."),
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
    (
        N_("At held points"),
        (
            (("R",), N_("Release, with a reason")),
            (("X",), N_("Refuse, with a reason")),
            (("U",), N_("Take the last release back")),
        ),
    ),
    (
        N_("At the carbon ledger"),
        (
            (("J", "K"), N_("Next, previous")),
            (("Enter",), N_("Open")),
            (("]",), N_("Next page")),
            (("-", "+"), N_("One tonne less, one more")),
            (("N",), N_("Enter a purchase")),
            (("E",), N_("Add evidence")),
        ),
    ),
    (
        N_("At the review desk"),
        (
            (("J", "K"), N_("Next, previous")),
            (("Enter",), N_("Approve")),
            (("B",), N_("Return, with remarks beside the fields")),
            (("D",), N_("Refuse, with a reason")),
            (("U",), N_("Take the last approval back")),
            (("N",), N_("File for somebody")),
            (("Z",), N_("Zoom the paper")),
        ),
    ),
)


def jumps(words: Words, user: CurrentUser | None) -> tuple[tuple[str, str, str, str], ...]:
    """The pages that this person may open: address, icon, name, letter."""
    if user is None:
        return ()
    return tuple(
        (href, icon, words.gettext(text), key) for href, icon, text, key, can in PAGES if can is None or user.may(can)
    )


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
    sentence = DONE.get(code) or people_words.DONE.get(code)
    return words.gettext(sentence) if sentence else ""
