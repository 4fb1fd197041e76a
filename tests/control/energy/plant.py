"""A small microgrid to close the loop around: owns its physics, written to be obvious and nothing else.

One step is one second. Devices take a command one second after it was given; storages and inverters then move most of
the way at once. Signs as in `control.domain.energy`. Knows nothing of the controller's code beyond its types.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from control.domain.energy import LoadTier
from control.energy.dispatch_types import Commands, EvNow, LoadNow, PvNow, SiteNow, StorageNow
from control.energy.site import ChargerSpec, GridSpec, LoadSpec, PvSpec, SiteSpec, StorageSpec

SITE = SiteSpec(
    grid=GridSpec(import_max_kw=8000.0, export_max_kw=6000.0),
    storages=(
        StorageSpec(
            id="lfp",
            capacity_kwh=4000.0,
            charge_max_kw=2000.0,
            discharge_max_kw=2000.0,
            efficiency_charge=0.96,
            efficiency_discharge=0.96,
            grid_forming=True,
        ),
        StorageSpec(
            id="vrfb",
            capacity_kwh=4000.0,
            charge_max_kw=1000.0,
            discharge_max_kw=1000.0,
            efficiency_charge=0.85,
            efficiency_discharge=0.85,
        ),
    ),
    pvs=tuple(PvSpec(id=f"pv{n}", rated_ac_kw=850.0) for n in range(6)),
    chargers=tuple(ChargerSpec(id=f"cp{n}", max_kw=60.0, v2g_kw=30.0 if n == 3 else 0.0) for n in range(4)),
    loads=(
        LoadSpec(id="critical", tier=LoadTier.CRITICAL, rated_kw=300.0),
        LoadSpec(id="venue", tier=LoadTier.ESSENTIAL, rated_kw=1500.0),
        LoadSpec(id="chillers", tier=LoadTier.COMFORT, sheddable=True, rated_kw=900.0, min_off_s=60.0, min_on_s=30.0),
        LoadSpec(id="public", tier=LoadTier.COMFORT, sheddable=True, rated_kw=400.0, min_off_s=30.0, min_on_s=30.0),
        LoadSpec(id="water", tier=LoadTier.DEFERRABLE, sheddable=True, rated_kw=300.0, min_off_s=30.0, min_on_s=30.0),
    ),
)


@dataclass
class Plant:
    """The site's physical state. Change `sun_frac`, `load_frac`, `grid_live` and the faults from outside."""

    site: SiteSpec = SITE
    now_s: float = 0.0
    sun_frac: float = 0.6
    load_frac: dict[str, float] = field(default_factory=lambda: dict.fromkeys((x.id for x in SITE.loads), 0.7))
    grid_live: bool = True
    grid_hz: float = 50.0
    meter_lost: bool = False
    lost: set[str] = field(default_factory=set)  # silent, and standing still where it was
    deaf: set[str] = field(default_factory=set)  # answers, but takes no command
    in_sync: bool = True
    breaker_closed: bool = True
    bus_up: bool = True
    soc: dict[str, float] = field(default_factory=lambda: {"lfp": 0.6, "vrfb": 0.6})
    storage_kw: dict[str, float] = field(default_factory=lambda: {"lfp": 0.0, "vrfb": 0.0})
    storage_set: dict[str, float] = field(default_factory=dict)
    pv_limit: dict[str, float] = field(default_factory=dict)
    pv_kw: dict[str, float] = field(default_factory=dict)
    ev_want: dict[str, float] = field(default_factory=dict)
    ev_limit: dict[str, float] = field(default_factory=dict)
    ev_kw: dict[str, float] = field(default_factory=dict)
    load_off: set[str] = field(default_factory=set)
    switched_s: dict[str, float] = field(default_factory=lambda: dict.fromkeys((x.id for x in SITE.loads), 1e6))
    grid_kw: float = 0.0
    forming: str | None = None
    slack_missing_kw: float = 0.0

    def __post_init__(self) -> None:
        self._flow()

    def step(self, commands: Commands | None, seconds: float = 1.0) -> None:
        """One second later, with these commands taken."""
        self.now_s += seconds
        if commands is not None:
            self._take(commands)
        for load in self.switched_s:
            self.switched_s[load] += seconds
        self._flow()
        for spec in self.site.storages:
            power = self.storage_kw[spec.id]
            stored = -power * spec.efficiency_charge if power < 0.0 else -power / spec.efficiency_discharge
            self.soc[spec.id] = min(1.0, max(0.0, self.soc[spec.id] + stored * seconds / 3600.0 / spec.capacity_kwh))

    def _take(self, commands: Commands) -> None:
        for key, power in commands.storage_kw.items():
            if key not in self.lost | self.deaf:
                self.storage_set[key] = power
        for key, limit in commands.pv_limit_kw.items():
            if key in self.lost | self.deaf:
                continue
            if limit is None:
                self.pv_limit.pop(key, None)
            else:
                self.pv_limit[key] = limit
        self.ev_limit.update({k: v for k, v in commands.ev_limit_kw.items() if k not in self.lost | self.deaf})
        for key, on in commands.load_on.items():
            if key not in self.lost | self.deaf and on == (key in self.load_off):
                self.load_off.symmetric_difference_update({key})
                self.switched_s[key] = 0.0
        if commands.breaker_closed is not None:
            if commands.breaker_closed and not self.breaker_closed and self.bus_up:
                assert self.in_sync, "closed out of synchronism"
            self.breaker_closed = commands.breaker_closed
        self.forming = commands.grid_forming

    def _flow(self) -> None:
        carried = self.breaker_closed and self.grid_live
        self.bus_up = carried or (not self.breaker_closed and self.forming is not None and self._can_form())
        for spec in self.site.pvs:
            sun = spec.rated_ac_kw * self.sun_frac if self.bus_up else 0.0
            self.pv_kw[spec.id] = min(sun, self.pv_limit.get(spec.id, sun))
        for key, want in self.ev_want.items():
            limit = self.ev_limit.get(key, 0.0)
            self.ev_kw[key] = min(want, limit) if self.bus_up else 0.0
        for spec in self.site.storages:
            if spec.id not in self.lost | self.deaf:
                self.storage_kw[spec.id] = self._able(spec, self.storage_set.get(spec.id, 0.0)) if self.bus_up else 0.0
        net = self.load_kw + sum(self.ev_kw.values()) - sum(self.pv_kw.values()) - sum(self.storage_kw.values())
        self.slack_missing_kw = 0.0
        if carried or not self.bus_up:
            self.grid_kw = net if carried else 0.0
            return
        self.grid_kw = 0.0
        spec = next(x for x in self.site.storages if x.id == self.forming)
        wanted = self.storage_kw[spec.id] + net
        self.storage_kw[spec.id] = self._able(spec, wanted)
        self.slack_missing_kw = wanted - self.storage_kw[spec.id]

    def _can_form(self) -> bool:
        return self.forming not in self.lost and self.soc[self.forming or "lfp"] > 0.02

    def _able(self, spec: StorageSpec, power: float) -> float:
        soc = self.soc[spec.id]
        low = -spec.charge_max_kw if soc < 1.0 else 0.0
        high = spec.discharge_max_kw if soc > 0.0 else 0.0
        return min(max(power, low), high)

    @property
    def load_kw(self) -> float:
        """What the loads draw together."""
        return sum(self._load(spec) for spec in self.site.loads)

    def _load(self, spec: LoadSpec) -> float:
        return spec.rated_kw * self.load_frac[spec.id] if self.bus_up and spec.id not in self.load_off else 0.0

    @property
    def bus_hz(self) -> float:
        """Ours: the grid's while joined, else what the forming unit can hold."""
        if not self.bus_up:
            return 0.0
        if self.breaker_closed:
            return self.grid_hz
        return 50.0 - 2.0 * min(1.5, max(-1.5, self.slack_missing_kw / 1000.0))

    def seen(self, **changes: object) -> SiteNow:
        """What the gateway would read now."""
        given: dict[str, object] = {
            "now_s": self.now_s,
            "grid_kw": None if self.meter_lost else self.grid_kw,
            "breaker_closed": self.breaker_closed,
            "grid_live": self.grid_live,
            "grid_hz": self.grid_hz if self.grid_live else 0.0,
            "bus_hz": self.bus_hz,
            "in_sync": self.in_sync,
            "import_price": 0.66,
            "export_price": 0.36,
            "carbon_price_per_kwh": 0.03,
            "storages": tuple(self._storage(spec) for spec in self.site.storages),
            "pvs": tuple(self._pv(spec) for spec in self.site.pvs),
            "evs": tuple(self._ev(spec) for spec in self.site.chargers if spec.id in self.ev_want),
            "loads": tuple(self._load_now(spec) for spec in self.site.loads),
        }
        return SiteNow(**(given | changes))  # type: ignore[arg-type]

    def _storage(self, spec: StorageSpec) -> StorageNow:
        gone = spec.id in self.lost
        return StorageNow(
            id=spec.id,
            soc_frac=None if gone else self.soc[spec.id],
            power_kw=None if gone else self.storage_kw[spec.id],
            charge_max_kw=0.0 if gone else spec.charge_max_kw,
            discharge_max_kw=0.0 if gone else spec.discharge_max_kw,
            usable=not gone,
        )

    def _pv(self, spec: PvSpec) -> PvNow:
        gone = spec.id in self.lost
        return PvNow(id=spec.id, power_kw=None if gone else self.pv_kw[spec.id], available_kw=None, usable=not gone)

    def _ev(self, spec: ChargerSpec) -> EvNow:
        gone = spec.id in self.lost
        return EvNow(
            id=spec.id,
            power_kw=None if gone else self.ev_kw.get(spec.id, 0.0),
            min_kw=spec.min_kw,
            max_kw=spec.max_kw,
            v2g_kw=spec.v2g_kw,
            soc_frac=0.7,
            usable=not gone,
        )

    def _load_now(self, spec: LoadSpec) -> LoadNow:
        gone = spec.id in self.lost
        return LoadNow(
            id=spec.id,
            tier=spec.tier,
            sheddable=spec.sheddable,
            power_kw=None if gone else self._load(spec),
            on=spec.id not in self.load_off,
            switched_s=self.switched_s[spec.id],
            rated_kw=spec.rated_kw,
            min_off_s=spec.min_off_s,
            min_on_s=spec.min_on_s,
            usable=not gone,
        )
