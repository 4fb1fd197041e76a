"""PV diagnosis, sample by sample: owns telling the faults apart, their evidence, and what they cost.

    watch = PvDiagnosis(site.pvs, longitude_deg=site.longitude_deg)
    findings = watch.step(sample)        # once a period of 1 to 15 minutes; alarms raised and cleared
    watch.alarms                         # what stands now, with the energy lost so far
    watch.forecast_factors()             # by inverter: what part of its healthy power to expect
"""

from __future__ import annotations

from collections.abc import Sequence

from control.energy.pv_types import PvAlarm, PvFindings, PvLimits, PvSample
from control.energy.site import PvSpec


class PvDiagnosis:
    """What is known of one PV field; see the module. Samples must come in the order of time."""

    def __init__(self, pvs: Sequence[PvSpec], *, longitude_deg: float, limits: PvLimits = PvLimits()) -> None:
        self.limits = limits

    @property
    def alarms(self) -> tuple[PvAlarm, ...]:
        """What stands now."""
        return ()

    def step(self, sample: PvSample) -> PvFindings:
        """Take one period; the alarms that it raised and cleared."""
        return PvFindings()

    def forecast_factors(self) -> dict[str, float]:
        """By inverter: the part of its healthy power that is to be expected (0 to 1)."""
        return {}
