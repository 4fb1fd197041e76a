"""The microgrid's part of the composition root: owns which adapter stands behind which device, and what runs.

Loaded only by a gateway that has a microgrid.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial

import structlog

from cloud_sync.contract.v1 import PublicKey
from control.energy.dispatch import dispatch
from control.energy.loop_spec import LoopSpec
from control.energy.planner import make_plan
from control.energy.site import SiteSpec
from edge.adapters.modbus import ModbusLink
from edge.adapters.mqtt_loads import LoadBus, MqttLoads
from edge.adapters.ocpp_central import CentralSystem
from edge.adapters.sunspec_inverter import SunSpecInverter
from edge.adapters.sunspec_meter import SunSpecMeter
from edge.adapters.sunspec_storage import SunSpecStorage
from edge.adapters.tie_breaker import TieBreaker
from edge.energy.acting import Actor
from edge.energy.alarms import AlarmDesk
from edge.energy.config import EnergyConfig, InverterConfig, ModbusConfig, StorageConfig, site_of
from edge.energy.cycle import CycleParts, EnergyCycle
from edge.energy.field import BREAKER, METER, Devices, Field
from edge.energy.history import History
from edge.energy.outlook import LiveForecast
from edge.energy.part import EnergyPart
from edge.energy.planning import PlanningDesk, PlanningParts
from edge.energy.pv_watch import PvWatch
from edge.energy.sessions import SessionBook
from edge.energy.settings_desk import SettingsDesk, first_settings
from edge.energy.sky import SkyTable
from edge.energy.state_note import NOTE, state_body, state_from
from edge.energy.store import STORE_FILE, EnergyStore, EnergyStoreError
from edge.energy.stuck import StuckWatch
from edge.energy.takeover import TakeoverDesk
from edge.energy.telemetry import Telemetry
from edge.energy.warming import warm
from edge.keys import public_key
from edge.shared import Service, Shared, new_id

log = structlog.get_logger(__name__)

DAY_S = 86_400.0
REMEMBER_EVERY_S = 5.0


@asynccontextmanager
async def energy_built(shared: Shared, config: EnergyConfig) -> AsyncIterator[EnergyPart]:
    """The microgrid's part; lets go of its devices and files at the end."""
    path = shared.config.gateway.data_dir / STORE_FILE
    with ThreadPoolExecutor(1, thread_name_prefix="energy-planner") as thread:
        async with EnergyStore.open(path) as store:
            part = await _part(shared, config, store, thread)
            try:
                yield part
            finally:
                await part.cycle.aclose()


async def _part(shared: Shared, config: EnergyConfig, store: EnergyStore, thread: ThreadPoolExecutor) -> EnergyPart:
    site, clock, journal = site_of(config), shared.clock, shared.journal
    settings, takeover = await _desks(shared, config)
    devices = _devices(shared, config, site)
    alarms, sessions = AlarmDesk(clock, new_id), SessionBook(clock)
    telemetry = Telemetry(store, journal, clock, _keep_s(config))
    await alarms.load(journal, _ids(site))
    await sessions.load(journal)
    await telemetry.load()
    history = History(store, config.timezone)
    sky = SkyTable(site, store, history, clock)
    await sky.load()
    watch = PvWatch(site, sky, clock)
    watch.recall(alarms.open)
    planning = PlanningDesk(
        PlanningParts(
            site=site,
            settings=settings,
            history=history,
            forecast=LiveForecast(site, sky, watch.forecast_factor),
            make_plan=make_plan,
            journal=journal,
            clock=clock,
            thread=thread,
        )
    )
    parts = CycleParts(
        site=site,
        field=Field(devices, clock, timeout_s=config.read_timeout_s),
        actor=Actor(devices, config.read_timeout_s),
        decide=partial(dispatch, loop=LoopSpec(cycle_s=config.cycle_s, grid_good_s=config.grid_return_s)),
        settings=settings,
        wishes=takeover,
        planning=planning,
        diagnosis=watch,
        recorder=telemetry,
        alarms=alarms,
        sessions=sessions,
        stuck=StuckWatch(config.stuck_after_s),
        journal=journal,
        clock=clock,
        changes=shared.changes,
        cycle_s=config.cycle_s,
    )
    kept = await store.note(NOTE)
    state = state_from(kept, wall_s=clock.now().timestamp(), now_s=clock.monotonic())
    cycle = EnergyCycle(parts, state)
    return EnergyPart(
        cycle=cycle,
        telemetry=telemetry,
        planning=planning,
        settings=settings,
        takeover=takeover,
        alarms=alarms,
        services=tuple(_services(shared, devices, cycle, telemetry, planning, store, sky)),
    )


def _services(
    shared: Shared,
    devices: Devices,
    cycle: EnergyCycle,
    telemetry: Telemetry,
    planning: PlanningDesk,
    store: EnergyStore,
    sky: SkyTable,
) -> list[Service]:
    async def make_kernels_ready() -> None:
        if not planning.kernels_ready:
            await warm(shared.clock)
            planning.kernels_are_ready()

    async def remember() -> None:
        while True:
            await shared.clock.sleep(REMEMBER_EVERY_S)
            try:
                await store.put_note(NOTE, state_body(cycle.state, wall_s=shared.clock.now().timestamp()))
            except EnergyStoreError as error:
                log.debug("the fast loop's memory is not kept", why=str(error))

    services: list[Service] = [
        ("energy", cycle.run),
        ("energy-memory", remember),
        ("energy-telemetry", telemetry.run),
        ("energy-planner", planning.run),
        ("energy-kernels", make_kernels_ready),
        ("energy-sky", sky.run),
    ]
    if devices.chargers is not None:
        services.append(("ocpp", devices.chargers.run))
    if devices.loads is not None:
        services.append(("load-bus", devices.loads.run))
    return services


async def _desks(shared: Shared, config: EnergyConfig) -> tuple[SettingsDesk, TakeoverDesk]:
    folder, clock, journal = shared.config.gateway.data_dir, shared.clock, shared.journal
    key: PublicKey | None = None
    if shared.config.cloud.public_key_file is not None:
        key = public_key(shared.config.cloud.public_key_file, "cloud.public_key_file")
    settings = SettingsDesk(
        folder=folder,
        key=key,
        gateway=shared.config.gateway.id,
        journal=journal,
        clock=clock,
        first=first_settings(config.settings_file),
    )
    takeover = TakeoverDesk(folder=folder, key=key, journal=journal, clock=clock)
    await settings.load()
    await takeover.load()
    return settings, takeover


def _keep_s(config: EnergyConfig) -> dict[int, float]:
    keep = config.keep
    return {
        1: keep.second_h * 3600.0,
        10: keep.ten_seconds_days * DAY_S,
        60: keep.minute_days * DAY_S,
        900: keep.quarter_hour_days * DAY_S,
    }


def _ids(site: SiteSpec) -> frozenset[str]:
    devices = [*site.pvs, *site.storages, *site.chargers, *site.loads]
    return frozenset({METER, BREAKER, *(one.id for one in devices)})


# ------------------------------------------------------------------------------------------------------- the devices


def _devices(shared: Shared, config: EnergyConfig, site: SiteSpec) -> Devices:
    timeout_s = config.read_timeout_s
    rated_kw = max(config.grid.import_max_kw, config.grid.export_max_kw)
    meter = SunSpecMeter(
        _link(config.meter, timeout_s), name=METER, rated_kw=rated_kw, monotonic=shared.clock.monotonic
    )
    breaker = None if config.breaker is None else TieBreaker(_link(config.breaker, timeout_s), name=BREAKER)
    return Devices(
        meter=meter,
        breaker=breaker,
        inverters={one.id: _inverter(one, timeout_s) for one in config.inverter},
        storages={one.id: _storage(one, timeout_s) for one in config.storage},
        chargers=_chargers(shared, config, site),
        loads=_loads(shared, config, site),
    )


def _link(device: ModbusConfig | InverterConfig | StorageConfig, timeout_s: float) -> ModbusLink:
    return ModbusLink(host=device.host, port=device.port, unit=device.unit, timeout_s=timeout_s)


def _inverter(one: InverterConfig, timeout_s: float) -> SunSpecInverter:
    strings = tuple(string.rated_dc_kw for string in one.string)
    return SunSpecInverter(_link(one, timeout_s), name=one.id, rated_kw=one.rated_ac_kw, string_rated_kw=strings)


def _storage(one: StorageConfig, timeout_s: float) -> SunSpecStorage:
    return SunSpecStorage(
        _link(one, timeout_s),
        name=one.id,
        capacity_kwh=one.capacity_kwh,
        charge_max_kw=one.charge_max_kw,
        discharge_max_kw=one.discharge_max_kw,
    )


def _chargers(shared: Shared, config: EnergyConfig, site: SiteSpec) -> CentralSystem | None:
    ocpp = config.ocpp
    if ocpp is None or not site.chargers:
        return None
    password = None if ocpp.password is None else ocpp.password.reveal()
    return CentralSystem(host=ocpp.host, port=ocpp.port, password=password, chargers=site.chargers, clock=shared.clock)


def _loads(shared: Shared, config: EnergyConfig, site: SiteSpec) -> MqttLoads | None:
    bus = config.load_bus
    if bus is None or not site.loads:
        return None
    password = None if bus.password is None else bus.password.reveal()
    place = LoadBus(host=bus.host, port=bus.port, username=bus.username or None, password=password)
    gateway = shared.config.gateway.id
    return MqttLoads(place, gateway=gateway, loads=site.loads, clock=shared.clock, random=shared.random)
