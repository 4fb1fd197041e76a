"""Which fault was injected and which was told: owns the cases, drawn from a seed, and the confusion matrix.

python -m tests.control.energy.pv_matrix --seeds 30 --period-s 300      # the table of docs/pv_diagnosis.md
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from random import Random

from control.energy.pv_diagnosis import FIELD, PvDiagnosis
from control.energy.pv_types import PvAlarm, PvFault
from tests.control.energy.pv_field import LONGITUDE_DEG, SITES, Faults, Truth, field_of, samples

NOTHING = "nothing"
COLUMNS = (*(fault.value for fault in PvFault), NOTHING)
Draw = Callable[[Random], "Case"]


@dataclass(frozen=True, kw_only=True)
class Case:
    """Some days of a site. `fault` on `device` is to be told; None: nothing is."""

    site: str
    skies: tuple[str, ...]
    faults: Faults = field(default_factory=Faults)
    fault: PvFault | None = None
    device: str = ""
    dc_to_ac: dict[str, float] = field(default_factory=dict)
    clear: bool = True


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What was told, and what the injected fault cost by the alarm and in truth, kWh at the bus."""

    case: Case
    told: frozenset[tuple[PvFault, str]]
    raisings: int
    told_kwh: float
    true_kwh: float

    @property
    def right(self) -> bool:
        """The injected fault at its device, and nothing else."""
        wanted = set() if self.case.fault is None else {(self.case.fault, self.case.device)}
        return self.told == wanted


def run(case: Case, *, seed: int, period_s: float) -> Outcome:
    """One case through the diagnosis. An alarm's cost is that of its last state."""
    pvs, truth = field_of(case.site, case.dc_to_ac), Truth()
    watch = PvDiagnosis(pvs, longitude_deg=LONGITUDE_DEG)
    raised: list[PvAlarm] = []
    ended: list[PvAlarm] = []
    days = samples(
        pvs, list(case.skies), faults=case.faults, seed=seed, period_s=period_s, clear=case.clear, truth=truth
    )
    for sample in days:
        found = watch.step(sample)
        raised += found.raised
        ended += found.cleared
    mine = [one for one in (*ended, *watch.alarms) if (one.fault, one.device) == (case.fault, case.device)]
    true_kwh = truth.cut_kwh if case.fault is PvFault.CLIPPING else truth.lost_kwh
    inverters = [pv.id for pv in pvs if case.device in (FIELD, pv.id) or case.device.startswith(f"{pv.id}/")]
    return Outcome(
        case=case,
        told=frozenset((one.fault, one.device) for one in raised),
        raisings=len(raised),
        told_kwh=sum(one.lost_kwh for one in mine),
        true_kwh=sum(true_kwh.get(inverter, 0.0) for inverter in inverters),
    )


# ------------------------------------------------------------------------------------------------------- the cases


def weather(random: Random, days: int, bright: int) -> tuple[str, ...]:
    """A mixed run of days of which at least so many are bright."""
    skies = ["clear" if random.random() < 0.6 else "scattered" for _ in range(bright)]
    skies += random.choices(("clear", "scattered", "overcast", "rain"), k=days - bright)
    random.shuffle(skies)
    return tuple(skies)


def _place(random: Random) -> tuple[str, str, str]:
    """A site, one of its inverters, one of its strings."""
    site = random.choice(tuple(SITES))
    inverter = random.choice(tuple(SITES[site]))
    return site, inverter, f"{inverter}/s{random.randrange(len(SITES[site][inverter]))}"


def _between(begins: float, ends: float) -> Callable[[float, float], bool]:
    return lambda days, hour: begins <= days < ends


def outage_of_inverter(random: Random) -> Case:
    site, inverter, _ = _place(random)
    begins = 1.0 + random.random()
    dead = _between(begins, begins + random.uniform(0.4, 2.0))
    faults = Faults(cap_part={inverter: lambda days, hour: 0.0 if dead(days, hour) else 1.0})
    return Case(site=site, skies=weather(random, 4, 2), faults=faults, fault=PvFault.OUTAGE, device=inverter)


def outage_of_string(random: Random) -> Case:
    site, _, string = _place(random)
    begins = 1.0 + random.random()
    dead = _between(begins, begins + random.uniform(0.4, 2.0))
    faults = Faults(string_part={string: lambda days, hour: 0.0 if dead(days, hour) else 1.0})
    return Case(site=site, skies=weather(random, 4, 2), faults=faults, fault=PvFault.OUTAGE, device=string)


def shading(random: Random) -> Case:
    site, _, string = _place(random)
    left, middle, width = random.uniform(0.0, 0.45), random.choice((9.0, 15.0)), random.uniform(1.5, 3.0)
    shaded = {string: lambda days, hour: left if days > 1 and abs(hour - middle) < width / 2 else 1.0}
    skies = weather(random, 9, 6)
    return Case(site=site, skies=skies, faults=Faults(shadow_part=shaded), fault=PvFault.SHADING, device=string)


def soiling_of_string(random: Random) -> Case:
    site, _, string = _place(random)
    lost = random.uniform(0.10, 0.30)
    dirty = {string: lambda days, hour: 1.0 - lost * min(1.0, max(0.0, days - 1.0))}
    skies = weather(random, 9, 5)
    return Case(site=site, skies=skies, faults=Faults(string_part=dirty), fault=PvFault.SOILING, device=string)


def soiling_of_field(random: Random) -> Case:
    site, lost = random.choice(tuple(SITES)), random.uniform(0.13, 0.25)
    faults = Faults(every_string_part=lambda days, hour: 1.0 - lost * min(1.0, max(0.0, (days - 6.0) / 2.0)))
    skies = (*weather(random, 6, 5), *weather(random, 11, 8))
    return Case(site=site, skies=skies, faults=faults, fault=PvFault.SOILING, device=FIELD)


def clipping(random: Random) -> Case:
    site, inverter, _ = _place(random)
    ratio = {inverter: random.uniform(1.35, 1.5)}
    if SITES[site][inverter].count(180) < 2:
        ratio = {inverter: 1.45}
    return Case(site=site, skies=weather(random, 4, 3), dc_to_ac=ratio, fault=PvFault.CLIPPING, device=inverter)


def derating(random: Random) -> Case:
    site, inverter, _ = _place(random)
    cap, hot = random.uniform(0.4, 0.62), random.random() < 0.5
    held = {inverter: lambda days, hour: cap if days > 1 and (not hot or 10.5 <= hour <= 15.5) else 1.0}
    skies = weather(random, 5, 4)
    return Case(site=site, skies=skies, faults=Faults(cap_part=held), fault=PvFault.DERATING, device=inverter)


def frozen_string(random: Random) -> Case:
    return _frozen(random, of_string=True)


def frozen_inverter(random: Random) -> Case:
    return _frozen(random, of_string=False)


def _frozen(random: Random, *, of_string: bool) -> Case:
    site, inverter, string = _place(random)
    device = string if of_string else inverter
    # From between 9 and 14 o'clock of the second or third day.
    begins = random.choice((1, 2)) + random.uniform(9.0, 14.0) / 24.0
    faults = Faults(frozen={device: _between(begins, begins + random.uniform(0.5, 1.5))})
    return Case(site=site, skies=weather(random, 5, 3), faults=faults, fault=PvFault.FROZEN, device=device)


def healthy(random: Random) -> Case:
    return Case(site=random.choice(tuple(SITES)), skies=weather(random, 10, 3))


def healthy_clouds(random: Random) -> Case:
    skies = tuple(random.choices(("scattered", "overcast", "rain"), weights=(3, 1, 1), k=8))
    return Case(site=random.choice(tuple(SITES)), skies=skies)


def healthy_curtailed(random: Random) -> Case:
    """Our own limits: all day, for some hours, or down to nothing, on all inverters or on one."""
    site, inverter, _ = _place(random)
    limits = [random.choice((None, 0.0, 0.25, 0.5, 0.8)) for _ in range(8)]
    alone, first_h = random.random() < 0.4, random.choice((0.0, 10.0))

    def limit(one: str, days: float, hour: float) -> float | None:
        return limits[int(days)] if hour >= first_h and (one == inverter or not alone) else None

    return Case(site=site, skies=weather(random, 8, 5), faults=Faults(limit_part=limit))


def healthy_gaps(random: Random) -> Case:
    """Values that are missing or no number, for hours or for good, and no clear sky to compare with."""
    site, inverter, string = _place(random)
    begins = random.uniform(0.0, 4.0)
    gone, broken = _between(begins, begins + random.uniform(0.1, 6.0)), random.random()
    faults = Faults(
        missing={string: gone} if broken < 0.5 else {inverter: gone},
        not_a_number={f"{one}/s0": (lambda days, hour: int(days * 50) % 3 == 0) for one in SITES[site]},
    )
    return Case(site=site, skies=weather(random, 8, 4), faults=faults, clear=random.random() < 0.7)


ROWS: dict[str, Draw] = {
    "outage, inverter": outage_of_inverter,
    "outage, string": outage_of_string,
    "shading": shading,
    "soiling, string": soiling_of_string,
    "soiling, whole field": soiling_of_field,
    "clipping": clipping,
    "derating": derating,
    "frozen, string": frozen_string,
    "frozen, inverter": frozen_inverter,
    "none": healthy,
    "none, cloudy": healthy_clouds,
    "none, limited by us": healthy_curtailed,
    "none, values missing": healthy_gaps,
}


def outcomes(row: str, seeds: Iterable[int], *, period_s: float) -> list[Outcome]:
    """A row's cases."""
    return [run(ROWS[row](Random(f"{row} {seed}")), seed=seed, period_s=period_s) for seed in seeds]


def counted(found: Iterable[Outcome]) -> Counter[str]:
    """In how many cases each fault was told; a fault at a wrong device counts as `elsewhere`."""
    counts: Counter[str] = Counter()
    for one in found:
        counts.update({fault.value for fault, _ in one.told} or {NOTHING})
        counts["elsewhere"] += any(fault is one.case.fault and at != one.case.device for fault, at in one.told)
        counts["right"] += one.right
    return counts


def main() -> None:
    """Print the matrix as a table, and the cost told by part of the true cost."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=30)
    parser.add_argument("--period-s", type=float, default=300.0)
    options = parser.parse_args()
    print("| injected | cases | " + " | ".join((*COLUMNS, "elsewhere", "right")) + " | lost kWh, told / true |")
    print("|---|" + "---:|" * (len(COLUMNS) + 4))
    for row in ROWS:
        found = outcomes(row, range(options.seeds), period_s=options.period_s)
        counts = counted(found)
        true_kwh = sum(one.true_kwh for one in found if one.told_kwh)
        cost = f"{sum(one.told_kwh for one in found) / true_kwh:.2f}" if true_kwh > 1.0 else "-"
        cells = [str(counts[name]) for name in (*COLUMNS, "elsewhere", "right")]
        print(f"| {row} | {len(found)} | " + " | ".join(cells) + f" | {cost} |", flush=True)


if __name__ == "__main__":
    main()
