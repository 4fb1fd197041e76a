"""Figures of `benchmarks.read`: owns counting outcomes by set, source, kind and colour, with their intervals."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from statistics import median, quantiles
from typing import Any

from benchmarks._read_answers import Cause, Outcome, PeerAnswer, holds, same_ground, text_says_new_energy
from benchmarks._read_peers import Peer
from control.domain.plates import PlateColour
from vision.training.answers import GateAnswer
from vision.training.intervals import share_interval

_ALIKE: tuple[tuple[str, Callable[[Outcome], str]], ...] = (
    ("by_colour", lambda outcome: str(outcome.case.colour)),
    ("by_kind", lambda outcome: outcome.case.kind),
    ("by_source", lambda outcome: outcome.case.source or "unnamed"),
)


def by_set(outcomes: list[Outcome], peers: list[Peer]) -> dict[str, Any]:
    """The report of every set, in the order in which they were read."""
    sets: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        sets[outcome.case.set_name].append(outcome)
    return {name: _set_report(members, peers) for name, members in sets.items()}


def _set_report(outcomes: list[Outcome], peers: list[Peer]) -> dict[str, Any]:
    ours = _summary(outcomes, lambda o: o.texts, lambda o: (o.ms, o.cpu_ms)) | _ours_alone(outcomes)
    report: dict[str, Any] = {"pictures": len(outcomes), "ours": ours, "peers": {}}
    for peer in peers:
        answered = [outcome for outcome in outcomes if peer.key in outcome.peers]
        if answered:
            report["peers"][peer.name] = _peer_report(answered, peer.key, ours)
    return report


def _peer_report(outcomes: list[Outcome], key: str, ours: dict[str, Any]) -> dict[str, Any]:
    def answer(outcome: Outcome) -> PeerAnswer:
        return outcome.peers[key]

    theirs = _summary(outcomes, lambda o: answer(o).texts, lambda o: (answer(o).ms, answer(o).cpu_ms))
    only_they = sum(holds(answer(o).texts, o.case.plate) and not o.is_right for o in outcomes)
    return theirs | {
        "right_where_we_are_wrong": only_they,
        "ratio_ms": ratio(ours["ms_median"], theirs["ms_median"]),
        "ratio_cpu_ms": ratio(ours["cpu_ms_median"], theirs["cpu_ms_median"]),
    }


def ratio(ours: float, theirs: float) -> float | None:
    """Ours by theirs, three digits; None where theirs took no time at all."""
    return float(f"{ours / theirs:.3g}") if theirs > 0 else None


def _summary(
    outcomes: list[Outcome],
    texts: Callable[[Outcome], tuple[str, ...]],
    times: Callable[[Outcome], tuple[float, float]],
) -> dict[str, Any]:
    walls, cpus = zip(*(times(outcome) for outcome in outcomes), strict=True)
    right = [holds(texts(outcome), outcome.case.plate) for outcome in outcomes]
    fuel = [outcome for outcome in outcomes if not outcome.case.is_new_energy]
    return {
        "right": sum(right),
        "of": len(right),
        "interval": _interval(sum(right), len(right)),
        **{name: _shares(outcomes, right, alike) for name, alike in _ALIKE},
        "fuel_by_text_new_energy": counted(sum(text_says_new_energy(texts(o)) for o in fuel), len(fuel)),
        "ms_median": round(median(walls), 2),
        "ms_p95": round(quantiles(walls, n=20)[-1] if len(walls) > 1 else walls[0], 2),
        "cpu_ms_median": round(median(cpus), 2),
    }


def _shares(outcomes: Iterable[Outcome], right: Iterable[bool], alike: Callable[[Outcome], str]) -> dict[str, str]:
    of: Counter[str] = Counter()
    hits: Counter[str] = Counter()
    for outcome, hit in zip(outcomes, right, strict=True):
        of[alike(outcome)] += 1
        hits[alike(outcome)] += hit
    return {name: f"{hits[name]}/{of[name]}" for name in sorted(of)}


def _ours_alone(outcomes: list[Outcome]) -> dict[str, Any]:
    """What only a reader that decides can be asked: colour, the gate's answers, causes."""
    new_energy = [outcome for outcome in outcomes if outcome.case.is_new_energy]
    others = [outcome for outcome in outcomes if not outcome.case.is_new_energy]
    causes = Counter(outcome.cause for outcome in outcomes)
    return {
        "colour": _colours(outcomes),
        "gate": {str(answer): sum(o.answer is answer for o in outcomes) for answer in GateAnswer},
        "sent_to_a_person": counted(sum(o.answer is GateAnswer.PERSON for o in outcomes), len(outcomes)),
        "false_pass": counted(sum(o.is_false_pass for o in others), len(others)),
        "false_refusal": counted(sum(o.is_false_refusal for o in new_energy), len(new_energy)),
        "new_energy_opened": f"{sum(o.answer is GateAnswer.OPEN for o in new_energy)}/{len(new_energy)}",
        "causes": {str(cause): causes[cause] for cause in Cause if causes[cause]},
    }


def _colours(outcomes: list[Outcome]) -> dict[str, Any]:
    """Of the plates read right, how many grounds were named right, wrong, or not at all."""
    told = [(o.case.colour, o.nearest.colour) for o in outcomes if o.is_right and o.nearest is not None]
    told = [(label, read) for label, read in told if label is not PlateColour.UNKNOWN]
    right = sum(same_ground(read, label) for label, read in told)
    unknown = sum(read is PlateColour.UNKNOWN for _, read in told)
    mixed = Counter(f"{label} read {read}" for label, read in told if not same_ground(read, label))
    return {
        "right": right,
        "unknown": unknown,
        "wrong": len(told) - right - unknown,
        "mixed": dict(sorted(mixed.items())),
    }


def counted(count: int, of: int) -> dict[str, Any]:
    """A count with the interval that holds its share at 95 %."""
    return {"count": count, "of": of, "interval": _interval(count, of)}


def _interval(count: int, of: int) -> list[float]:
    return [round(bound, 5) for bound in share_interval(count, of)]
