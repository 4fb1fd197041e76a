"""The microgrid's part of a gateway: points, cycle, planning, telemetry."""
