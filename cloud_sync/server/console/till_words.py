"""What the counter's script says: owns its sentences, which the page hands to it in the reader's language."""

from __future__ import annotations

from cloud_sync.server.console.labels import N_
from cloud_sync.server.console.words import Words

# {names} in braces are filled in by the script.
SENTENCES = {
    "online": N_("Online"),
    "offline": N_("Offline"),
    "signed_out": N_("Session over"),
    "busy": N_("The cloud is busy"),
    "looking": N_("Looking it up"),
    "look_waits": N_("Waiting for the network"),
    "look_waits_detail": N_("The code is not checked yet. Hand nothing over; it is looked up again by itself."),
    "give_up": N_("Leave it"),
    "hand_over": N_("Hand over: {what}"),
    "until": N_("Valid until {day}"),
    "handed_over": N_("Handed over, take the code"),
    "not_now": N_("Not now"),
    "taking": N_("Sending"),
    "used_now": N_("Taken: {what}"),
    "at": N_("At {time}"),
    "once": N_("The code is used up."),
    "used_before": N_("This code was used already, at {time}"),
    "used_here": N_("This code was used already, at {time} here"),
    "cny": N_("{n} CNY"),
    "give_nothing": N_("Hand nothing over."),
    "refused": N_("Not accepted"),
    "granted": N_("{n} points for the customer"),
    "held": N_("Noted; the points come after a look"),
    "taken": N_("{n} CNY taken from the voucher"),
    "left": N_("{n} CNY are left on it"),
    "waits_network": N_("Waiting for the network"),
    "waits_signed_out": N_("Your session is over"),
    "waits_detail": N_("Kept as {code} and sent again by itself; it counts once. Tried {n} times."),
    "try_now": N_("Try now"),
    "sign_in": N_("Sign in"),
    "fill_in": N_("Something is still empty or no amount."),
    "strange": N_("The cloud answered with {status}. Nothing was taken."),
    "today_away": N_("Today's list needs the network"),
    "today_away_detail": N_("What you take now is kept and sent later."),
    "today_empty": N_("Nothing yet today."),
    "sum_redeemed": N_("Redemptions"),
    "sum_acts": N_("Acts confirmed"),
    "sum_vouchers": N_("Vouchers in CNY"),
}


def spoken(words: Words) -> dict[str, str]:
    """All sentences in one language."""
    return {key: words.gettext(text) for key, text in SENTENCES.items()}
