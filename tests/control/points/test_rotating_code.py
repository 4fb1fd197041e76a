"""Codes of devices: genuine ones are taken once and in their time; everything else is refused by name."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from control.points import rotating_code as codes
from control.points.claims import act_event
from control.points.crockford import ALPHABET, decode, encode, grouped, normalised
from control.points.rotating_code import (
    ClockModel,
    CodeAccepted,
    CodeContent,
    CodeRefusal,
    CodeRefused,
    Device,
    Scan,
    device_key,
    qr_text,
    step_of,
    typed_text,
    verify,
)
from control.points.rules import PointRules

AT = datetime(2026, 11, 21, 4, 0, 7, tzinfo=UTC)
S = timedelta(seconds=1)
SECRET = device_key(b"m" * 32, "stop-1", 1)
BOARD = Device(
    device_id="stop-1", number=7, secrets=(SECRET,), keys=("shuttle",), clock=ClockModel(0, AT), place="hall"
)
MACHINE = replace(BOARD, keys=("recycling.pet", "recycling.aluminium"), makes_acts=True)


@dataclass
class Known:
    """Devices by number, and codes that were used."""

    devices: dict[int, Device]
    uses: set[str] = field(default_factory=set)

    def device(self, number: int) -> Device | None:
        return self.devices.get(number)

    def used(self, use_key: str) -> bool:
        return use_key in self.uses


def shown(device: Device, at: datetime, **fields: int) -> CodeContent:
    """What a device shows whose clock is right."""
    return CodeContent(device_number=device.number, step=step_of(at), **fields)


def scan(text: str, at: datetime = AT, late: timedelta = timedelta(0), person: str = "ann") -> Scan:
    return Scan(text=text, person_id=person, scanned_at=at, received_at=at + late)


def reason(found: CodeAccepted | CodeRefusal) -> CodeRefused | None:
    return found.reason if isinstance(found, CodeRefusal) else None


def taken(found: CodeAccepted | CodeRefusal) -> CodeAccepted:
    assert isinstance(found, CodeAccepted), found
    return found


def ask(rules: PointRules, text: str, device: Device = BOARD, at: datetime = AT, late: timedelta = 0 * S) -> object:
    return verify(scan(text, at, late), Known({device.number: device}), rules)


def test_a_qr_holds_the_code_and_a_hand_can_type_it() -> None:
    """Version 2 (25x25) at level M holds 38 alphanumeric characters."""
    text = qr_text(shown(BOARD, AT), SECRET)
    assert len(text) == codes.QR_LENGTH <= 38
    assert set(text) <= set(ALPHABET)
    assert len(typed_text(shown(BOARD, AT), SECRET)) == codes.BOARD_LENGTH == 10
    assert len(typed_text(shown(MACHINE, AT, counter=1, amount=2), SECRET)) == codes.ACT_LENGTH == 16


def test_a_typed_code_cannot_be_read_off_a_qr() -> None:
    content = shown(BOARD, AT)
    assert qr_text(content, SECRET)[19:25] != typed_text(content, SECRET)[4:]


@pytest.mark.parametrize("make", [qr_text, typed_text])
def test_a_code_is_taken_once_by_each_person(rules: PointRules, make: object) -> None:
    assert callable(make)
    known = Known({7: BOARD})
    text = make(shown(BOARD, AT), SECRET)
    first = taken(verify(scan(text), known, rules))
    assert (first.key, first.device_id, first.clock_doubt) == ("shuttle", "stop-1", False)
    assert abs(first.at - AT) <= 15 * S
    known.uses.add(first.use_key)
    assert reason(verify(scan(text), known, rules)) is CodeRefused.REPLAYED
    taken(verify(scan(text, person="eve"), known, rules))


@pytest.mark.parametrize("make", [qr_text, typed_text])
def test_an_act_is_one_persons_and_carries_what_was_weighed(rules: PointRules, make: object) -> None:
    assert callable(make)
    known = Known({7: MACHINE})
    text = make(shown(MACHINE, AT, slot=1, counter=3, amount=235), SECRET)
    first = taken(verify(scan(text), known, rules))
    event = act_event("e1", first, MACHINE, scan(text))
    assert (event.key, event.activity * 1000, event.source_id) == ("recycling.aluminium", 235, "stop-1")
    known.uses.add(first.use_key)
    assert reason(verify(scan(text, person="eve"), known, rules)) is CodeRefused.REPLAYED


def test_a_boards_code_claims_one_act(rules: PointRules) -> None:
    one = scan(qr_text(shown(BOARD, AT), SECRET))
    event = act_event("e1", taken(verify(one, Known({7: BOARD}), rules)), BOARD, one)
    assert (event.activity, event.start_place, event.person_id) == (1, "hall", "ann")


def test_what_people_mean_is_read(rules: PointRules) -> None:
    text = typed_text(shown(BOARD, AT), SECRET)
    careless = grouped(text.replace("0", "o").replace("1", "l")).lower()
    assert reason(ask(rules, f" {careless} ")) is None


def test_a_day_without_a_network_and_a_phone_that_claims_a_week_later(rules: PointRules) -> None:
    """The device drifts 9 s in a day, the phone is a minute off."""
    at = AT + timedelta(days=1)
    for drift in (-9, 9):
        text = qr_text(shown(BOARD, at + drift * S), SECRET)
        for phone in (-60, 60):
            assert reason(ask(rules, text, at=at + phone * S, late=timedelta(days=6))) is None


@pytest.mark.parametrize(
    ("steps", "expected"),
    [(-4, CodeRefused.LATE), (-3, None), (0, None), (3, None), (4, CodeRefused.EARLY), (9999, CodeRefused.EARLY)],
)
def test_early_and_late_codes_are_refused(rules: PointRules, steps: int, expected: CodeRefused | None) -> None:
    content = replace(shown(BOARD, AT), step=step_of(AT) + steps)
    assert reason(ask(rules, qr_text(content, SECRET))) is expected
    typed = CodeRefused.FORGED if expected else None
    assert reason(ask(rules, typed_text(content, SECRET))) is typed


def test_an_old_picture_with_an_old_time_is_bound_to_its_own_step(rules: PointRules) -> None:
    """Whoever claims late may choose the time of the scan, but not one that the code does not prove."""
    text = qr_text(shown(BOARD, AT), SECRET)
    assert reason(ask(rules, text, at=AT + 600 * S, late=timedelta(hours=5))) is CodeRefused.LATE
    found = taken(ask(rules, text, at=AT + 60 * S, late=timedelta(hours=5)))  # type: ignore[arg-type]
    assert abs(found.at - AT) <= 15 * S


@pytest.mark.parametrize(
    ("device", "text", "expected"),
    [
        (BOARD, "", CodeRefused.UNREADABLE),
        (BOARD, "https://example.org/", CodeRefused.UNREADABLE),
        (BOARD, "U" * 10, CodeRefused.UNREADABLE),
        (BOARD, "Z1" + "0" * 33 + "0" * 999, CodeRefused.UNREADABLE),
        (BOARD, "0008000000", CodeRefused.UNKNOWN_DEVICE),
        (replace(BOARD, active=False), "0007000000", CodeRefused.DEVICE_STOPPED),
        (BOARD, "0007000000", CodeRefused.FORGED),
        (BOARD, qr_text(shown(BOARD, AT), b"x" * 32), CodeRefused.FORGED),
        (BOARD, typed_text(shown(BOARD, AT), b"x" * 32), CodeRefused.FORGED),
        (BOARD, qr_text(shown(BOARD, AT, slot=1), SECRET), CodeRefused.NOT_FOR_THIS_DEVICE),
        (BOARD, qr_text(shown(BOARD, AT, counter=1), SECRET), CodeRefused.NOT_FOR_THIS_DEVICE),
        (MACHINE, qr_text(shown(BOARD, AT), SECRET), CodeRefused.NOT_FOR_THIS_DEVICE),
    ],
)
def test_foreign_texts_are_refused(rules: PointRules, device: Device, text: str, expected: CodeRefused) -> None:
    assert reason(ask(rules, text, device)) is expected


def test_a_phone_may_have_any_clock(rules: PointRules) -> None:
    behind = replace(BOARD, clock=ClockModel(-100, AT))
    first = datetime.min.replace(tzinfo=UTC)
    for make, expected in ((qr_text, CodeRefused.EARLY), (typed_text, CodeRefused.FORGED)):
        text = make(shown(BOARD, AT), SECRET)
        assert reason(ask(rules, text, behind, at=first, late=AT - first)) is expected


def test_a_phone_cannot_scan_tomorrow(rules: PointRules) -> None:
    text = qr_text(shown(BOARD, AT), SECRET)
    assert reason(ask(rules, text, late=-200 * S)) is CodeRefused.SCANNED_IN_THE_FUTURE


def test_the_old_key_holds_while_it_is_listed(rules: PointRules) -> None:
    changed = replace(BOARD, secrets=(device_key(b"m" * 32, "stop-1", 2), SECRET))
    text = qr_text(shown(BOARD, AT), SECRET)
    assert reason(ask(rules, text, changed)) is None
    assert reason(ask(rules, text, replace(changed, secrets=changed.secrets[:1]))) is CodeRefused.FORGED
    with pytest.raises(ValueError, match="needs 32"):
        device_key(b"short", "stop-1", 1)


@given(place=st.integers(0, codes.QR_LENGTH - 1), to=st.sampled_from(ALPHABET))
def test_any_changed_character_is_refused(rules: PointRules, place: int, to: str) -> None:
    text = qr_text(shown(BOARD, AT), SECRET)
    changed = text[:place] + to + text[place + 1 :]
    assert (reason(ask(rules, changed)) is None) == (changed == text)


@given(text=st.one_of(st.text(max_size=80), st.text(ALPHABET, min_size=10, max_size=35)))
def test_any_text_has_an_answer_and_none_is_a_code(rules: PointRules, text: str) -> None:
    assert isinstance(ask(rules, text), CodeRefusal)


@given(value=st.integers(0, 2**35 - 1))
def test_the_alphabet_goes_both_ways(value: int) -> None:
    text = encode(value, 7)
    assert decode(text) == value
    assert normalised(grouped(text.lower(), 3)) == text


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        encode(32, 1)
    with pytest.raises(ValueError, match="`amount` must lie between"):
        CodeContent(device_number=1, step=1, amount=1 << 20)


def follow(rules: PointRules, device: Device, at: datetime, shown_offset_s: int, delay_s: int = 2) -> Device:
    """The device after one scan of what it shows, `delay_s` later."""
    text = qr_text(shown(device, at + shown_offset_s * S), SECRET)
    found = verify(scan(text, at + delay_s * S), Known({7: device}), rules)
    return replace(device, clock=taken(found).clock)


@settings(max_examples=15)
@given(drift_s_per_day=st.integers(-9, 9), scans=st.lists(st.integers(0, 20), min_size=40, max_size=40))
def test_the_clock_of_a_drifting_device_is_followed_for_months(
    rules: PointRules, drift_s_per_day: int, scans: list[int]
) -> None:
    device = BOARD
    for number, delay in enumerate(scans, 1):
        offset = drift_s_per_day * number * 2
        device = follow(rules, device, AT + timedelta(days=2 * number, seconds=7 * number), offset, delay)
        assert -60 - 20 <= device.clock.offset_s - offset <= 25


def test_stale_codes_do_not_move_a_devices_clock(rules: PointRules) -> None:
    """Somebody shows the board's picture of a minute ago, again and again, all day."""
    device = BOARD
    for minute in range(1, 600):
        at = AT + timedelta(minutes=minute)
        text = qr_text(shown(device, at - 60 * S), SECRET)
        found = verify(scan(text, at), Known({7: device}), rules)
        device = replace(device, clock=found.clock) if isinstance(found, CodeAccepted) else device
    assert device.clock.offset_s >= -10
    later = AT + timedelta(hours=10)
    assert reason(ask(rules, qr_text(shown(device, later), SECRET), device, later)) is None


def test_late_claims_teach_nothing_and_a_clock_far_off_is_marked(rules: PointRules) -> None:
    text = qr_text(shown(BOARD, AT + 60 * S), SECRET)
    assert taken(ask(rules, text, late=timedelta(hours=1))).clock == BOARD.clock  # type: ignore[arg-type]
    far = replace(BOARD, clock=ClockModel(1000, AT - timedelta(days=1)))
    ahead = qr_text(shown(far, AT + 1000 * S), SECRET)
    assert taken(ask(rules, ahead, far)).clock_doubt  # type: ignore[arg-type]
