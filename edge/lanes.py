"""The kinds of lanes: owns their union. Who imports it loads what reads pictures."""

from __future__ import annotations

from edge.gate_lane import GateLane
from edge.picture_lane import FolderLane, WatchLane

Lane = GateLane | FolderLane | WatchLane
