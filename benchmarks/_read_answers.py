"""What came of one picture in `benchmarks.read`: owns our answer beside the peers', and the cause of a failure."""

from __future__ import annotations

from dataclasses import dataclass, field
from difflib import SequenceMatcher
from enum import StrEnum

from benchmarks._read_cases import Case, folded
from control.domain.plates import PROVINCES, PlateColour, PlateKind, formats_of
from control.domain.readings import PlateReading
from vision.training.answers import GateAnswer

_NEW_ENERGY_KINDS = frozenset({PlateKind.NEV_SMALL, PlateKind.NEV_LARGE})


class Cause(StrEnum):
    """Why a picture is in the report; the first that holds counts."""

    NO_PLATE = "no_plate"
    TWO_ROWS = "two_rows"
    LENGTH = "length"
    PROVINCE = "province"
    CHARACTER = "character"
    CHARACTERS = "characters"
    COLOUR = "colour"
    KIND = "kind"
    PERSON = "person"


# Those that make the answer wrong; after the others the text is right.
WRONG_TEXT = (Cause.NO_PLATE, Cause.TWO_ROWS, Cause.LENGTH, Cause.PROVINCE, Cause.CHARACTER, Cause.CHARACTERS)


@dataclass(frozen=True, slots=True)
class PeerAnswer:
    """What a peer read, and how long it took."""

    texts: tuple[str, ...]
    ms: float
    cpu_ms: float


@dataclass(slots=True)
class Outcome:
    """Our readings of one picture, the surest first, beside the peers' texts."""

    case: Case
    readings: tuple[PlateReading, ...]
    ms: float
    cpu_ms: float
    answer: GateAnswer
    doubts: tuple[str, ...]
    peers: dict[str, PeerAnswer] = field(default_factory=dict)

    @property
    def texts(self) -> tuple[str, ...]:
        """What we read."""
        return tuple(reading.text for reading in self.readings)

    @property
    def nearest(self) -> PlateReading | None:
        """The reading most like the label."""
        return max(self.readings, key=lambda reading: _likeness(reading.text, self.case.plate), default=None)

    @property
    def is_right(self) -> bool:
        """Whether the plate is among those read."""
        return holds(self.texts, self.case.plate)

    @property
    def is_false_pass(self) -> bool:
        """The worst error: what is no new-energy plate would open the barrier as one."""
        return self.answer is GateAnswer.OPEN and not self.case.is_new_energy

    @property
    def is_false_refusal(self) -> bool:
        """A new-energy vehicle turned away."""
        return self.answer is GateAnswer.REFUSE and self.case.is_new_energy

    @property
    def cause(self) -> Cause | None:
        """Why this picture is worth looking at; None when all is well."""
        reading = self.nearest
        if reading is None:
            return Cause.NO_PLATE
        if not self.is_right:
            return wrong_text(reading.text, self.case)
        if self.case.colour is not PlateColour.UNKNOWN and not same_ground(reading.colour, self.case.colour):
            return Cause.COLOUR
        if reading.kind is PlateKind.UNKNOWN:
            return Cause.KIND
        return Cause.PERSON if self.answer is GateAnswer.PERSON else None


def holds(texts: tuple[str, ...], plate: str) -> bool:
    """Whether the plate is among the texts."""
    return folded(plate) in {folded(text) for text in texts}


def same_ground(read: PlateColour, label: PlateColour) -> bool:
    """Whether a colour is the labelled one; labels call everything green that is green to the eye."""
    greens = (PlateColour.GREEN, PlateColour.FARM_GREEN, PlateColour.YELLOW_GREEN)
    return read is label or (label is PlateColour.GREEN and read in greens)


def wrong_text(read: str, case: Case) -> Cause:
    """What kind of wrong a text is."""
    text, plate = folded(read), folded(case.plate)
    if case.two_rows:
        return Cause.TWO_ROWS
    if len(text) != len(plate):
        return Cause.LENGTH
    wrong = [place for place, (one, other) in enumerate(zip(text, plate, strict=True)) if one != other]
    if len(wrong) > 1:
        return Cause.CHARACTERS
    return Cause.PROVINCE if plate[wrong[0]] in PROVINCES else Cause.CHARACTER


def text_says_new_energy(texts: tuple[str, ...]) -> bool:
    """Whether a reader without colours, or one that is believed without them, would call a plate new-energy."""
    return any(row.kind in _NEW_ENERGY_KINDS for text in texts for row in formats_of(folded(text)))


def _likeness(one: str, other: str) -> float:
    return SequenceMatcher(None, folded(one), folded(other), autojunk=False).ratio()
