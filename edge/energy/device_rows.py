"""What single devices say, as `EnergySample.devices` carries it: owns those bodies. What is not known is absent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from control.domain.energy import Point
from control.energy.site import ChargerSpec, LoadSpec, PvSpec, SiteSpec, StorageSpec
from edge.energy.field import BREAKER, METER, FieldNow, Heard
from edge.energy.ports import ChargerReading, InverterReading, LoadReading, StorageReading, StringReading
from edge.energy.snapshot import value_of
from edge.facts import iso

Body = dict[str, Any]


def device_rows(now: FieldNow, site: SiteSpec, diagnosis: Mapping[str, Body]) -> dict[str, Body]:
    """Every device of the site by id. `diagnosis` adds what is known of an inverter, and of its strings."""
    rows = {METER: _line("meter", "", now.meter) | _known(kw=_of(now.meter, "power_kw"))}
    if now.breaker is not None:
        rows[BREAKER] = _line("breaker", "", now.breaker)
        if now.breaker.reading is not None:
            rows[BREAKER] |= {"closed": now.breaker.reading.closed, "grid_live": now.breaker.reading.grid_live}
    for pv in site.pvs:
        rows[pv.id] = _diagnosed(_inverter(pv, now.inverters.get(pv.id, _SILENT)), diagnosis.get(pv.id, {}))
    for storage in site.storages:
        rows[storage.id] = _storage(storage, now.storages.get(storage.id, _SILENT))
    for charger in site.chargers:
        rows[charger.id] = _charger(charger, now.chargers.get(charger.id))
    for load in site.loads:
        rows[load.id] = _load(load, now.loads.get(load.id))
    return rows


_SILENT: Heard[Any] = Heard(None, 0)


def _line(kind: str, name: str, heard: Heard[Any]) -> Body:
    quality = "lost" if heard.reading is None else "good" if heard.misses == 0 else "stale"
    return {"kind": kind, "name": name, "quality": quality}


def _known(**values: Any) -> Body:
    return {
        name: round(value, 4) if isinstance(value, float) else value
        for name, value in values.items()
        if value is not None
    }


def _of(heard: Heard[Any], point: str) -> float | None:
    return None if heard.reading is None else value_of(getattr(heard.reading, point))


def _inverter(spec: PvSpec, heard: Heard[InverterReading]) -> Body:
    body = _line("inverter", spec.name or spec.id, heard)
    reading = heard.reading
    if reading is None:
        return body
    body |= _known(kw=value_of(reading.power_kw), limit_kw=value_of(reading.limit_kw), state=reading.state.value)
    names = [one.id for one in spec.strings]
    strings = {string_id(names, one): _known(kw=value_of(one.power_kw)) for one in reading.strings}
    return body | ({"strings": strings} if strings else {})


def _diagnosed(row: Body, found: Body) -> Body:
    """The readings and what the diagnosis makes of them, string by string."""
    strings: Body = {name: dict(body) for name, body in found.get("strings", {}).items()}
    for name, body in row.get("strings", {}).items():
        strings[name] = strings.get(name, {}) | body
    return row | found | ({"strings": strings} if strings else {})


def string_id(names: list[str], string: StringReading) -> str:
    """The configured id of a string: by its place, or as the inverter labels it."""
    return names[string.number - 1] if 0 < string.number <= len(names) else string.label or str(string.number)


def _storage(spec: StorageSpec, heard: Heard[StorageReading]) -> Body:
    body = _line("storage", spec.name or spec.id, heard) | {"capacity_kwh": spec.capacity_kwh}
    reading = heard.reading
    if reading is None:
        return body
    return body | _known(
        kw=value_of(reading.power_kw),
        soc_frac=value_of(reading.soc_frac),
        soh_frac=value_of(reading.soh_frac),
        setpoint_kw=value_of(reading.setpoint_kw),
        temperature_c=value_of(reading.temperature_c),
        state=reading.state.value,
    )


def _charger(spec: ChargerSpec, reading: ChargerReading | None) -> Body:
    body: Body = {"kind": "charger", "name": spec.name or spec.id, "max_kw": spec.max_kw, "v2g": spec.v2g_kw > 0}
    if reading is None:
        return body | {"quality": "lost"}
    depart_at = None if reading.depart_at is None else iso(reading.depart_at)
    return body | _known(
        quality=_quality(reading.power_kw) if reading.online else "lost",
        kw=value_of(reading.power_kw),
        state=reading.status.value,
        session_id=reading.session_id or None,
        soc_frac=value_of(reading.soc_frac),
        energy_kwh=value_of(reading.energy_kwh),
        limit_kw=value_of(reading.limit_kw),
        depart_at=depart_at,
    )


def _load(spec: LoadSpec, reading: LoadReading | None) -> Body:
    body: Body = {"kind": "load", "name": spec.name or spec.id, "name_en": spec.name_en, "tier": int(spec.tier)}
    if reading is None or reading.on is None:
        return body | {"quality": "lost"}
    return body | _known(quality=_quality(reading.power_kw), kw=value_of(reading.power_kw), on=reading.on)


def _quality(point: Point) -> str:
    return point.quality.value
