"""What flows now: owns the ends of the energy flow, the carbon of a kWh and self-sufficiency. Pure.

Self-sufficiency is 1 - import / everything that comes onto the bus; the carbon of a kWh is the import's share of it
times the grid's intensity: energy out of the storage counts as the island's own.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from cloud_sync.server.records_energy import FlowNode

LOADS_SHOWN = 4
SMALL_KW = 0.5


def known(value: object) -> float | None:
    """A finite number, else None."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return float(value)


def total_kw(kw: Mapping[str, float]) -> float | None:
    """Everything that comes onto the bus; None where PV, storage or grid are not known."""
    parts = [known(kw.get(name)) for name in ("pv", "storage", "grid")]
    if any(one is None for one in parts):
        return None
    back = -min(known(kw.get("ev")) or 0.0, 0.0)
    return sum(max(one, 0.0) for one in parts if one is not None) + back


def imported_frac(imported: float | None, total: float | None) -> float | None:
    """The grid's share; None where it is not known or nothing flows."""
    if imported is None or total is None or total <= 0:
        return None
    return min(1.0, max(0.0, imported) / total)


def flow_nodes(kw: Mapping[str, float], devices: Mapping[str, Mapping[str, Any]]) -> tuple[FlowNode, ...]:
    """Sources first, then sinks, each in the order they are drawn."""
    nodes = [FlowNode("pv", "pv", _positive(kw.get("pv")), "source"), *_swinging(kw), *_loads(kw, devices)]
    return tuple(sorted(nodes, key=lambda one: (one.side != "source", _place(one))))


def _positive(value: object) -> float | None:
    number = known(value)
    return None if number is None else max(0.0, number)


def _swinging(kw: Mapping[str, float]) -> Iterable[FlowNode]:
    """Storage, grid and vehicles: they change sides with their sign. Positive supplies, but for vehicles."""
    for key, sign in (("storage", 1.0), ("grid", 1.0), ("ev", -1.0)):
        value = known(kw.get(key))
        if value is None:
            if key != "ev" or "ev" in kw:
                yield FlowNode(key, key, None, "source" if key == "grid" else "sink")
            continue
        side = "source" if sign * value > 0 or (key == "grid" and value == 0) else "sink"
        yield FlowNode(key, key, abs(value), side)


def _loads(kw: Mapping[str, float], devices: Mapping[str, Mapping[str, Any]]) -> Iterable[FlowNode]:
    found = [
        FlowNode(key, "load", known(one.get("kw")), "sink", str(one.get("name", "")), str(one.get("name_en", "")))
        for key, one in devices.items()
        if one.get("kind") == "load"
    ]
    load_kw = _positive(kw.get("load"))
    if not found:
        yield FlowNode("load", "load", load_kw, "sink")
        return
    found.sort(key=lambda one: (one.kw is None, -(one.kw or 0.0), one.key))
    yield from found[:LOADS_SHOWN]
    if load_kw is not None and all(one.kw is not None for one in found[:LOADS_SHOWN]):
        rest_kw = load_kw - sum(one.kw or 0.0 for one in found[:LOADS_SHOWN])
        if len(found) > LOADS_SHOWN or rest_kw > max(SMALL_KW, 0.02 * load_kw):
            yield FlowNode("rest", "load", max(0.0, rest_kw), "sink")
    elif len(found) > LOADS_SHOWN:
        yield FlowNode("rest", "load", None, "sink")


def _place(node: FlowNode) -> tuple[int, float]:
    order = {"pv": 0, "storage": 2, "ev": 3, "grid": 4} if node.side == "source" else {"storage": 2, "ev": 3, "grid": 5}
    small = node.kind == "load" and (node.key == "rest" or (node.kw is not None and node.kw < 200))
    return (4 if small else order.get(node.kind, 1), -(node.kw or 0.0))
