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
    "pv_outage": N_("String or inverter gives nothing"),
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
    "breaker_not_following": N_("The tie breaker does not follow"),
    "device_fault": N_("Device reports a fault"),
    "stuck_value": N_("A value stands still"),
    "invalid_value": N_("A value cannot be believed"),
}
SUGGESTION = {
    "pv_outage": N_("Check the inverter, then fuse, connectors and cable of the string."),
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
    "reduce_load_or_raise_limit": N_("Look at the limits in the settings and at what ran at that moment."),
    "check_scale_and_sensor": N_("Check scale and wiring of the sensor; its value is not used until then."),
    "operate_breaker_by_hand": N_("Operate the breaker by hand on site, and find out why it does not follow."),
    "correct_settings": N_("Read the gateway's words and stage a corrected version."),
    "check_breaker_and_fuse": N_("Check the inverter, then fuse, connectors and cable of the string."),
    "look_for_obstacle_at_hour": N_("Look for what throws a shadow at these hours: plants, a crane, a new structure."),
    "clean_modules": N_("Clean the modules; rain may do it as well."),
    "nothing_to_do_sized_so": N_("Nothing is broken: the inverter is smaller than its modules at these hours."),
    "check_cooling_and_inverter_log": N_("Check fans, filters and ventilation of the inverter."),
    "restart_sensor_or_datalogger": N_(
        "Restart the inverter's communication; its power is not to be believed until then."
    ),
}
# What a gateway lays beside an alarm, by its name without the unit.
EVIDENCE = {
    "expected": N_("Expected"),
    "measured": N_("Measured"),
    "clear_sky": N_("Under a clear sky"),
    "for": N_("For"),
    "value": N_("Stands at"),
    "still": N_("Without a change for"),
    "expected_from": N_("Expected, from"),
    "expected_to": N_("Expected, to"),
    "rated_ac": N_("Rated"),
    "held_at": N_("Held at"),
    "from_solar": N_("From, sun's time"),
    "until_solar": N_("Until, sun's time"),
    "day_part": N_("Share of the expected, whole day"),
    "rest_part": N_("Share of the expected, hours without the shadow"),
    "days": N_("Days"),
    "of_clear_sky": N_("Share of a clear sky"),
    "was": N_("Before"),
    "late": N_("Late by"),
    "version": N_("Version"),
    "why": N_("It says"),
    "alarms": N_("Device's alarms"),
    "import_max": N_("Above the import limit"),
    "export_max": N_("Above the export limit"),
    "ramp": N_("Steeper than the ramp"),
    "island_short": N_("The island lacks"),
    "island_over": N_("The island has too much"),
}
EVIDENCE_UNITS = {"kw": "kW", "kwh": "kWh", "h": "h", "min": "min", "s": "s"}
EVIDENCE_SHARES = ("day_part", "rest_part", "of_clear_sky", "was")
DEVICE = {
    "site": N_("The whole microgrid"),
    "meter": N_("Grid meter"),
    "breaker": N_("Tie breaker"),
    "pv": N_("All of the solar"),
}
# Why the mode of the grid connection changed.
MODE_WHY = {
    "breaker_open": N_("the tie breaker is open"),
    "grid_lost": N_("the grid is away"),
    "meter_lost": N_("the grid meter does not answer"),
    "hold_wanted": N_("a person wants it to hold"),
    "hold_ended": N_("the hold is over"),
    "island_stands": N_("the island carries itself"),
    "bus_dead": N_("there is no voltage"),
    "breaker_stuck": N_("the tie breaker did not open"),
    "grid_back": N_("the grid is back"),
    "breaker_closed": N_("the tie breaker is closed"),
    "no_synchronism": N_("it could not be synchronised"),
}
# What decides right now.
BINDING = {
    "idle": N_("Nothing binds: the storage rests"),
    "curve": N_("The plan's value of stored energy decides"),
    "value_curve": N_("The plan's value of stored energy decides"),
    "takeover": N_("A person decides"),
    "hold": N_("It holds"),
    "ramp": N_("The ramp binds"),
    "ev_limited": N_("Vehicles charge less"),
    "shed": N_("Loads are switched off"),
    "reserve": N_("The reserve binds"),
    "export_limit": N_("The export limit binds"),
    "curtail_price": N_("Selling would cost money: sun is held back"),
    "import_limit": N_("The import limit binds"),
    "black_start": N_("The island starts up"),
    "meter_lost": N_("The grid meter does not answer"),
}
# What a plan cannot keep, or had to assume; a device stands behind a colon.
VIOLATION = {
    "limit.unserved": N_("serving all load"),
    "limit.export": N_("the export limit"),
    "limit.import_wish": N_("the import target"),
    "limit.reserve": N_("the reserve of %(device)s"),
    "limit.soc": N_("the charge limits of %(device)s"),
    "limit.ev": N_("the charge wanted by %(device)s"),
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
    "元/kWh·h": N_("CNY/kWh·h"),
    "h": N_("h"),
    "min": N_("min"),
    "s": N_("s"),
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
    "reserve_price_per_kwh_h": (
        N_("Worth of the reserve"),
        N_("What an hour with a kWh too little in the reserve counts as."),
    ),
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
    "day_ahead": (N_("Day-ahead prices"), N_("Published prices of a day go before the tariff on that day.")),
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
    (N_("Storage"), ("wear_per_kwh", "reserve_frac", "ride_through_h", "reserve_price_per_kwh_h", "soc_max_frac")),
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
    "device": DEVICE,
    "mode_why": MODE_WHY,
    "binding": BINDING,
}
