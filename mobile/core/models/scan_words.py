"""What is said of a code: owns title, text, tone and icon of each outcome and of each code that is not ours."""

from __future__ import annotations

from dataclasses import dataclass

from mobile.core.models.scan import Outcome, OutcomeState
from mobile.core.models.scan_codes import CodeKind
from mobile.core.words import N_, Words


@dataclass(frozen=True, slots=True)
class Told:
    """A result for the eye. `figure` is the large number with its sign, empty where none is due."""

    title: str
    text: str
    icon: str
    tone: str
    figure: str = ""


# Where a code belongs that no device of the island shows: (title, text).
_NOT_OURS = {
    CodeKind.PASS: (
        N_("This is a driver's pass"),
        N_("The gate reads it. For points, scan the code on a shuttle, a bike, a bin or a counter."),
    ),
    CodeKind.TILL: (
        N_("This is a code for a till"),
        N_("Show it to the merchant, who reads it. Nothing is earned by scanning it."),
    ),
    CodeKind.PERSON: (
        N_("This is a visitor's code"),
        N_("A merchant reads it to confirm what somebody did. Nothing is earned by scanning it."),
    ),
    CodeKind.ADDRESS: (
        N_("This code leads to a web page"),
        N_("The app does not open it. Codes that earn points stand on devices of the island."),
    ),
    CodeKind.FOREIGN: (
        N_("Not a code of the island"),
        N_("Look for the code on a shuttle, a bike, a recycling machine or a counter."),
    ),
    CodeKind.INCOMPLETE: (
        N_("The code is not complete"),
        N_("A board shows 10 characters, a machine 16. Compare them with the screen of the device."),
    ),
}


def not_ours(words: Words, kind: CodeKind) -> Told:
    """A code that cannot be handed in."""
    title, text = _NOT_OURS[kind]
    return Told(words(title), words(text), "scan-line", "hold")


def outcome(words: Words, found: Outcome, *, is_again: bool = False) -> Told:
    """What came of a code that was handed in."""
    sentence = words.both(found.zh, found.en)
    match found.state:
        case OutcomeState.GRANTED:
            title = words("Counted before, only once") if is_again else words("Points earned")
            return Told(title, _saved_grams(words, found), "circle-check", "admit", f"+{words.number(found.points)}")
        case OutcomeState.TRIP_ENDED:
            figure = f"+{words.number(found.points)}"
            return Told(words("Trip ended"), _saved_grams(words, found), "circle-check", "admit", figure)
        case OutcomeState.TRIP_STARTED:
            text = words("Scan the code where you get off. Only then does the trip count.")
            return Told(words("Trip begun"), text, "route", "accent")
        case OutcomeState.CHARGE_NOTED:
            return Told(words("Charging noted"), sentence, "plug-zap", "accent")
        case OutcomeState.HELD:
            return Told(words("Points wait for a look"), sentence, "circle-pause", "hold", words.number(found.points))
        case OutcomeState.REFUSED:
            return Told(words("No points this time"), _refusal(words, found), "octagon-x", "refuse")
        case OutcomeState.NOT_TAKEN:
            title = words("The walk was not taken") if found.is_walk else words("The code was not taken")
            return Told(title, _trouble(words, found), "octagon-x", "refuse")
        case OutcomeState.WAITING:
            return Told(words("Saved on your phone"), _waiting(words, found), "cloud-upload", "stale")


def _saved_grams(words: Words, found: Outcome) -> str:
    return words("{grams} of CO₂ saved", grams=words.grams(found.grams)) if found.grams else ""


def _waiting(words: Words, found: Outcome) -> str:
    if found.old_s is not None:
        return words(
            "This code is {age} old and may not count. Scan the one that the device shows now.",
            age=words.duration(found.old_s),
        )
    return words("It counts once you are online, and only once.")


def _trouble(words: Words, found: Outcome) -> str:
    if found.trouble is None:
        return ""
    return f"{found.trouble.sentence(words)} {found.trouble.advice(words)}".strip()


def _refusal(words: Words, found: Outcome) -> str:
    """The server's reason, and what the person can do about it where there is something."""
    sentence = words.both(found.zh, found.en)
    stop = words.both("。", ".")
    advice = _ADVICE.get(found.reason)
    return sentence if advice is None else f"{sentence.rstrip(stop)}{stop}{words.both('', ' ')}{words(advice)}"


# By `control.points.rotating_code.CodeRefused`, `trips.TripRefused`, `earning_types.Refused`.
_ADVICE = {
    "unreadable": N_("Scan it again, or compare what you typed with the device's screen."),
    "unknown_device": N_("Compare what you typed with the device's screen."),
    "forged": N_("Compare what you typed with the device's screen; it changes every half minute."),
    "early": N_("The device's clock may be wrong. Tell us, and we look at it."),
    "late": N_("Scan the code that the device shows now."),
    "replayed": N_("Wait for the next code, or do it again for a new one."),
    "scanned_in_the_future": N_("Let the phone set its time by itself, then scan again."),
    "device_stopped": N_("It is out of service. Use another one nearby."),
    "no_start": N_("Scan where you get on, and again where you get off."),
    "same_place": N_("Scan the code where you get off, at another stop."),
    "too_soon": N_("A trip takes longer. Scan again where you get off."),
    "no_such_way": N_("No line runs between these stops. If there is one, tell us."),
}
