"""How the fast loop is tuned: owns its timers, bands and margins, which an engineer sets once for a site.

What an operator weighs is in `settings`; nothing here is money.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopSpec:
    """Defaults for a site of some megawatts with a cycle of one second.

    Grid band and return timer: IEEE 1547-2018 table 4 (enter service) and GB/T 33593-2017 clause 7; synchronism:
    IEEE 1547-2018 table 5 for more than 1,500 kVA (0.1 Hz, 3 %, 10 degrees, the angle judged by the breaker's relay).
    """

    cycle_s: float = 1.0
    # State machine
    grid_hz_low: float = 49.0
    grid_hz_high: float = 50.5
    grid_v_low_frac: float = 0.85
    grid_v_high_frac: float = 1.10
    grid_bad_s: float = 0.5
    return_hz_low: float = 49.5
    return_hz_high: float = 50.1
    return_v_low_frac: float = 0.917
    return_v_high_frac: float = 1.05
    grid_good_s: float = 300.0
    island_hz_low: float = 48.0
    island_hz_high: float = 52.0
    island_v_low_frac: float = 0.8
    island_good_s: float = 3.0
    islanding_s_max: float = 10.0
    sync_hz_max: float = 0.1
    sync_v_frac_max: float = 0.03
    sync_s: float = 2.0
    sync_s_max: float = 180.0
    sync_slip_hz: float = 0.03
    meter_lost_cycles: int = 2
    meter_good_cycles: int = 3
    meter_moved_kw: float = 5.0
    meter_frozen_cycles: int = 8
    # Coupling point
    guard_kw: float = 10.0
    slow_cycles: int = 2
    slow_hold_s: float = 10.0
    pv_release_frac_per_s: float = 0.2
    hold_export_frac: float = 0.9
    # Chasing its own tail
    swing_frac: float = 0.03
    swing_keep_per_s: float = 0.9
    wary_s: float = 600.0
    wary_gain: float = 0.1
    wary_release_frac: float = 0.1
    # Storages
    deadband_kw: float = 4.0
    start_kw: float = 20.0
    stop_kw: float = 8.0
    reverse_s: float = 10.0
    sticky_per_kwh: float = 0.02
    taper_s: float = 60.0
    deaf_frac: float = 0.1
    deaf_cycles: int = 3
    obey_cycles: int = 5
    # Island
    forming_headroom_frac: float = 0.15
    droop_frac_per_hz: float = 0.2
    droop_dead_hz: float = 0.3
    sustain_h_min: float = 0.5
    # Loads and vehicles
    restore_gap_s: float = 15.0
    restore_margin_frac: float = 0.05
    restore_calm_s: float = 10.0
    load_deaf_s: float = 5.0
    deadline_margin_frac: float = 1.2
    deadline_margin_s: float = 600.0
    v2g_spare_s: float = 1800.0
