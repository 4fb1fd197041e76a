"""The microgrid's codes as people read them: owns the words for modes, alarms, diagnoses, settings and chargers."""

from __future__ import annotations

from cloud_sync.server.console.labels import N_

GRID_MODE = {
    "grid_tied": N_("On grid"),
    "islanding": N_("Going off grid"),
    "islanded": N_("Island"),
    "black_start": N_("Black start"),
    "resynchronising": N_("Synchronising"),
    "hold": N_("On hold"),
}
FLOW = {
    "pv": N_("Solar"),
    "storage_source": N_("Storage discharging"),
    "storage_sink": N_("Storage charging"),
    "grid_source": N_("Grid"),
    "grid_sink": N_("Sold to the grid"),
    "ev_source": N_("Vehicles feed back"),
    "ev_sink": N_("EV chargers"),
    "load": N_("Load"),
    "rest": N_("Other loads"),
}
TAKEOVER = {
    "auto": N_("Back to automatic"),
    "hold": N_("Hold: storage rests, solar and loads stay safe"),
    "storage": N_("Run the storage at a power"),
}
ALARM = {
    "pv_outage": N_("String gives nothing"),
    "pv_shading": N_("String is shaded"),
    "pv_soiling": N_("Modules are dirty"),
    "pv_clipping": N_("Inverter clips"),
    "pv_derating": N_("Inverter is derated"),
    "pv_sensor_frozen": N_("Measurement stands still"),
    "write_not_taken": N_("Device did not take a command"),
    "limit_exceeded": N_("A limit was exceeded"),
    "plan_late": N_("The plan is late"),
    "settings_refused": N_("Settings were refused"),
    "device_lost": N_("Device does not answer"),
    "meter_lost": N_("Grid meter does not answer"),
    "breaker_tripped": N_("The tie breaker tripped"),
    "device_fault": N_("Device reports a fault"),
    "stuck_value": N_("A value stands still"),
}
SUGGESTION = {
    "pv_outage": N_("Check fuse, connectors and cable of the string."),
    "pv_shading": N_("Look for what throws a shadow at these hours: plants, a crane, a new structure."),
    "pv_soiling": N_("Clean the modules; rain may do it as well."),
    "pv_clipping": N_("Nothing is broken: the inverter is smaller than its modules at these hours."),
    "pv_derating": N_("Check fans, filters and ventilation of the inverter."),
    "pv_sensor_frozen": N_("Restart the inverter's communication; its power is not to be believed until then."),
    "write_not_taken": N_("Check the device and whether somebody controls it on site."),
    "limit_exceeded": N_("Look at the limits in the settings and at what ran at that moment."),
    "plan_late": N_("The plan before goes on. If it lasts, look at the gateway's load."),
    "settings_refused": N_("Read the gateway's words and stage a corrected version."),
    "device_lost": N_("Check power and network of the device."),
    "meter_lost": N_("Everything is held at the safe state. Check the meter's power and network."),
    "find_cause_then_reset": N_("Find out why, then reset the breaker on site."),
    "see_device_manual": N_("Read the fault in the device's own display or manual."),
    "check_remote_control": N_("Check the device and whether somebody controls it on site."),
    "restart_device": N_("Restart the device; its value is not to be believed until then."),
    "check_gateway_load": N_("The plan before goes on. If it lasts, look at the gateway's load."),
}
SEVERITY = {"info": N_("For information"), "warning": N_("Warning"), "critical": N_("Critical")}
CHARGER_STATE = {
    "available": N_("Free"),
    "preparing": N_("Preparing"),
    "charging": N_("Charging"),
    "suspended": N_("Paused"),
    "finishing": N_("Finishing"),
    "unavailable": N_("Out of service"),
    "faulted": N_("Fault"),
    "unknown": N_("Unknown"),
}
VERSION_STATE = {
    "staged": N_("Staged"),
    "discarded": N_("Discarded"),
    "sent": N_("On its way"),
    "waiting": N_("Scheduled"),
    "in_force": N_("In effect"),
    "past": N_("Was in force"),
    "refused": N_("Refused"),
}
QUALITY = {"good": N_("Good"), "stale": N_("Stale"), "invalid": N_("Not believable"), "lost": N_("Does not answer")}
RUNG = {"exact": N_("exact"), "previous": N_("previous plan goes on"), "rules": N_("by rules")}
UNIT = {
    "10k_yuan": N_("10k CNY"),
    "times": N_("times"),
    "元/t": N_("CNY/t"),
    "元/kWh": N_("CNY/kWh"),
    "元/kW·月": N_("CNY/kW·month"),
}
FIGURE = {
    "bill": N_("Electricity bill"),
    "carbon": N_("Carbon"),
    "peak": N_("Highest import"),
    "cycles": N_("Storage cycles"),
    "own": N_("Own energy"),
    "ride": N_("Could run alone (worst moment)"),
}
LIMIT = {
    "import": N_("import limit"),
    "export": N_("no export above the limit"),
    "ride": N_("reserve"),
}
# Name and what it does, for every setting.
SETTING: dict[str, tuple[str, str]] = {
    "import_max_kw": (N_("Import limit"), N_("Hard: never more from the grid than this.")),
    "export_max_kw": (N_("Export limit"), N_("Hard: never more into the grid than this; 0 feeds nothing in.")),
    "import_target_kw": (N_("Import target"), N_("A wish: import above it counts as demand charge.")),
    "ramp_max_kw_per_min": (N_("Ramp"), N_("How quickly import may change.")),
    "demand_charge_per_kw": (N_("Demand charge"), N_("Paid each month for the highest quarter hour of import.")),
    "carbon_price_per_t": (N_("Worth of a tonne of carbon"), N_("The higher, the more is paid to buy less.")),
    "carbon_per_kwh": (N_("Carbon of the grid"), N_("Emitted for each kWh from the grid.")),
    "carbon_source": (N_("Source of that figure"), N_("Factor set and year, as it stands in the carbon account.")),
    "wear_per_kwh": (N_("Storage wear"), N_("What a kWh through the storage costs in ageing.")),
    "reserve_frac": (N_("Reserve"), N_("Below this charge nothing is discharged while the grid is there.")),
    "ride_through_h": (N_("Run alone for"), N_("Below what this needs nothing is discharged.")),
    "soc_max_frac": (N_("Highest charge"), N_("Charging ends here; beyond it ageing is quicker.")),
    "unserved_per_kwh": (N_("Worth of served load"), N_("What leaving out a kWh of load counts as.")),
    "ev_min_frac": (N_("Least charging"), N_("Share of its power that a vehicle always gets.")),
    "v2g": (N_("Vehicles may feed back"), N_("Only at chargers that can, and only above the charge below.")),
    "v2g_soc_min_frac": (N_("Feed back down to"), N_("A vehicle's battery is never taken below this.")),
    "shed_allowed": (N_("Loads may be switched off"), N_("In the order of their tiers, never tier 0.")),
    "plan_period_s": (N_("Plan again every"), N_("A new plan also comes by itself when something changes.")),
    "horizon_h": (N_("Plan ahead"), N_("How far a plan looks.")),
    "tariff": (N_("Tariff"), N_("Prices by hour and month; holds where no day-ahead prices came.")),
}  # fmt: skip
SLIDERS = ("carbon_price_per_t", "wear_per_kwh", "ride_through_h", "import_target_kw")
MORE_SLIDERS = (
    *("demand_charge_per_kw", "reserve_frac", "soc_max_frac", "import_max_kw", "export_max_kw", "unserved_per_kwh"),
)
GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        N_("Grid"),
        ("import_max_kw", "export_max_kw", "import_target_kw", "ramp_max_kw_per_min", "demand_charge_per_kw"),
    ),
    (N_("Carbon"), ("carbon_price_per_t", "carbon_per_kwh", "carbon_source")),
    (N_("Storage"), ("wear_per_kwh", "reserve_frac", "ride_through_h", "soc_max_frac")),
    (N_("Loads and vehicles"), ("unserved_per_kwh", "shed_allowed", "ev_min_frac", "v2g", "v2g_soc_min_frac")),
    (N_("Planning"), ("plan_period_s", "horizon_h")),
)
TABLES = {
    "grid_mode": GRID_MODE,
    "takeover": TAKEOVER,
    "energy_alarm": ALARM,
    "energy_suggestion": SUGGESTION,
    "severity": SEVERITY,
    "charger_state": CHARGER_STATE,
    "version_state": VERSION_STATE,
    "quality": QUALITY,
    "rung": RUNG,
    "unit": UNIT,
    "figure": FIGURE,
    "limit": LIMIT,
}
