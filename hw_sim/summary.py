"""The demonstration's account: owns matching what the gate decided with what the simulator drew.

A decision is wrong when the gate by itself admitted or refused what the policy, given a perfect reading,
would have treated otherwise. A hold is never wrong: a person decides then; it is counted as held.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from control.gate.reasons import Code

# A camera sees a vehicle some seconds before the loop does.
_EARLY = timedelta(seconds=8)
_LATE = timedelta(seconds=3)


@dataclass(frozen=True, slots=True)
class EnergySummary:
    """The microgrid's part, as its simulator counted it. `violations` are limits passed, and must be 0."""

    pv_kwh: float
    import_kwh: float
    export_kwh: float
    storage_charge_kwh: float
    storage_discharge_kwh: float
    load_kwh: float
    ev_kwh: float
    unserved_kwh: float
    shed_kwh: float
    carbon_kg: float
    violations: int
    blackouts: int


@dataclass(frozen=True, slots=True)
class PermitSummary:
    """Permits, the ledger and points as the cloud tells them; `posted_g` is what visits owe, in grams CO2e."""

    applications: int
    visits: int
    visits_over: int
    posted_g: int
    scans: int
    points_g: int


@dataclass(frozen=True, slots=True)
class Summary:
    """The last line of `--json`. `violations` counts what the simulated barrier saw and must be 0."""

    vehicles: int
    admitted: int
    admitted_under_permit: int
    held: int
    refused: int
    wrong_decisions: int
    misread: int
    undecided: int
    violations: int
    events_journalled: int
    events_in_cloud: int
    console: str
    energy: EnergySummary | None = None
    permits: PermitSummary | None = None

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Match:
    """One decided arrival with the vehicle it was about, if the truth knows one."""

    passage: dict[str, Any]
    vehicle: dict[str, Any] | None

    @property
    def wrong(self) -> bool:
        """Decided by itself, and not as the truth says. Something decided about nothing is wrong when it opened."""
        outcome = self.passage["outcome"]
        if self.vehicle is None:
            return outcome in ("admit", "admit_under_permit")
        return outcome not in self.vehicle["expected_outcomes"]

    @property
    def misread(self) -> bool:
        """The plate that was read is another one than the vehicle's, and no pass stood in for it."""
        read = self.passage["raw_plate"]
        by_pass = any(reason["code"] == Code.PASS_VALID for reason in self.passage.get("reasons", ()))
        return self.vehicle is not None and bool(read) and read != self.vehicle["plate"] and not by_pass


def match_all(passages: list[dict[str, Any]], truth: list[dict[str, Any]]) -> list[Match]:
    """Pair arrivals with vehicles by lane and time; where several fit, the one whose plate was read."""
    left = [vehicle for vehicle in truth if vehicle["on_loop_at"]]
    ordered = sorted(passages, key=lambda passage: passage["arrived_at"])
    exact = {p["arrival_id"]: _take(p, left, by_plate=True) for p in ordered}
    found = []
    for passage in ordered:
        vehicle = exact[passage["arrival_id"]] or _take(passage, left, by_plate=False)
        found.append(Match(passage, vehicle))
    return found


def _take(passage: dict[str, Any], left: list[dict[str, Any]], *, by_plate: bool) -> dict[str, Any] | None:
    for vehicle in left:
        if not _at_the_time(passage, vehicle) or (by_plate and vehicle["plate"] != passage["raw_plate"]):
            continue
        left.remove(vehicle)
        return vehicle
    return None


def _at_the_time(passage: dict[str, Any], vehicle: dict[str, Any]) -> bool:
    if passage["lane_id"] != vehicle["lane_id"]:
        return False
    at = datetime.fromisoformat(passage["arrived_at"])
    came = datetime.fromisoformat(vehicle["on_loop_at"]) - _EARLY
    left_at = vehicle["left_at"]
    return came <= at and (left_at is None or at <= datetime.fromisoformat(left_at) + _LATE)


def summarise_energy(truth: dict[str, Any], carbon_per_kwh: float) -> EnergySummary:
    """The microgrid's account from the simulator's truth; `carbon_per_kwh` is kg for each imported kWh."""
    kwh = {name: round(value, 2) for name, value in truth["energies"].items()}
    return EnergySummary(
        pv_kwh=kwh["pv_kwh"],
        import_kwh=kwh["import_kwh"],
        export_kwh=kwh["export_kwh"],
        storage_charge_kwh=kwh["storage_charge_kwh"],
        storage_discharge_kwh=kwh["storage_discharge_kwh"],
        load_kwh=kwh["load_kwh"],
        ev_kwh=kwh["ev_kwh"],
        unserved_kwh=kwh["unserved_kwh"],
        shed_kwh=kwh["shed_kwh"],
        carbon_kg=round(truth["energies"]["import_kwh"] * carbon_per_kwh, 2),
        violations=sum(truth["violations"]["counts"].values()),
        blackouts=truth["blackouts"],
    )


def summarise(
    passages: list[dict[str, Any]],
    truth: list[dict[str, Any]],
    state: dict[str, Any],
    *,
    journalled: int,
    in_cloud: int,
    console: str,
    energy: EnergySummary | None = None,
    permits: PermitSummary | None = None,
) -> tuple[Summary, list[Match]]:
    """The account and the matches that were wrong or misread."""
    matches = match_all(passages, truth)
    outcomes = Counter(match.passage["outcome"] for match in matches)
    decided = {match.vehicle["vehicle_id"] for match in matches if match.vehicle}
    reached = [v for v in truth if v["on_loop_at"]]
    summary = Summary(
        vehicles=len(reached),
        admitted=outcomes["admit"],
        admitted_under_permit=outcomes["admit_under_permit"],
        held=outcomes["hold"],
        refused=outcomes["refuse"],
        wrong_decisions=sum(match.wrong for match in matches),
        misread=sum(match.misread for match in matches),
        undecided=sum(v["vehicle_id"] not in decided for v in reached),
        violations=sum(sum(lane["violations"].values()) for lane in state.values()),
        events_journalled=journalled,
        events_in_cloud=in_cloud,
        console=console,
        energy=energy,
        permits=permits,
    )
    return summary, [match for match in matches if match.wrong or match.misread]


def events_journalled(journal: Path) -> int:
    """Events of all lanes that the gateway has written so far, those that were pruned since among them."""
    with closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True, timeout=5.0)) as connection:
        total = 0
        for lane, pruned in connection.execute("SELECT lane, pruned_seq FROM lanes").fetchall():
            newest = connection.execute(f"SELECT max(seq) FROM lane_{int(lane)}").fetchone()[0]
            total += max(int(pruned), int(newest or 0))
        return total
