"""Where the API lies: owns the beginning of its addresses."""

from __future__ import annotations

API = "/api/v1"
