"""What the demonstration says while it runs: owns its lines, in Chinese and English, with masked plates."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import Any, TextIO

from control.domain.plates import mask
from hw_sim.camera import LOCAL_TIME
from hw_sim.site_files import Site
from hw_sim.summary import EnergySummary, Match, Summary

_OUTCOMES = {
    "admit": ("放行", "admitted"),
    "admit_under_permit": ("按许可放行", "admitted under permit"),
    "hold": ("等人决定", "held for the guard"),
    "refuse": ("不放行", "refused"),
}
_KINDS = {
    "nev_small": "新能源 new energy",
    "nev_large": "新能源大型 large new energy",
    "small": "蓝牌 blue plate",
    "large": "黄牌 yellow plate",
    "police": "警车 police",
    "emergency": "应急 emergency",
    "hong_kong": "港 Hong Kong",
    "macau": "澳 Macau",
    "coach": "教练 coach",
    "consulate": "领 consulate",
    "trailer": "挂车 trailer",
    "tractor": "拖拉机 tractor",
    "temporary": "临牌 temporary",
}
_MOVEMENTS = {"passed": "已通过 passed", "backed_out": "倒车离开 backed out"}


class Narrator:
    """Prints progress and events. With `--json` everything but the last line goes to the error stream."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._told: dict[str, tuple[Any, ...]] = {}
        self._open_line = False

    def step(self, text: str) -> None:
        """One step of the start."""
        self.say(f"  · {text}")

    def say(self, text: str) -> None:
        """One line."""
        print(text, file=self._stream, flush=True)

    def welcome(self, site: Site, username: str, password: str, *, started_in_s: float) -> None:
        """Where everything is, once it answers."""
        self.say("")
        self.say(f"  运行台 console    {site.cloud_url}/")
        self.say(f"  登录 sign in      {username} / {password}   (只用于这次演示 for this demonstration only)")
        self.say(f"  门岗 hut page     {site.hut_url}/   PIN {site.hut_pin}")
        self.say(f"  画面 cameras      {site.sim_url}/lane/{site.lanes[0].lane_id}/stream.mjpg")
        if site.energy is not None:
            self.say(
                f"  微电网 microgrid  {site.cloud_url}/microgrid   推演 what-if {site.cloud_url}/microgrid/what-if"
            )
            self.say(f"                    充电 chargers {site.cloud_url}/microgrid/chargers")
            self.say(f"                    光伏诊断 PV diagnosis {site.cloud_url}/microgrid/pv")
            self.say(f"                    模拟器 simulator {site.energy.url}/state")
        self.say("  手机 app          ./island app --role visitor   ./island app --role driver")
        self.say(f"  数据 data         {site.folder}")
        self.say(f"  启动用时 started in {started_in_s:.0f} s")
        self.say("  Ctrl-C 结束 ends it")
        self.say("")

    def tell(self, passages: list[dict[str, Any]]) -> None:
        """Say what is new in the list of arrivals (newest first)."""
        for passage in reversed(passages):
            state = (passage["outcome"], passage["guard_outcome"], passage["movement"])
            before = self._told.get(passage["arrival_id"])
            if before == state:
                continue
            self._told[passage["arrival_id"]] = state
            if before is None or before[0] != state[0]:
                self.say(_decided(passage))
            if passage["guard_outcome"] and (before is None or before[1] != state[1]):
                self.say(_by_guard(passage))
            if passage["movement"] and (before is None or before[2] != state[2]):
                self.say(_moved(passage))

    def account(self, summary: Summary, doubtful: list[Match]) -> None:
        """The end."""
        self.say("")
        self.say(
            f"  车辆 vehicles {summary.vehicles}   放行 admitted {summary.admitted}   "
            f"按许可 under permit {summary.admitted_under_permit}   等人 held {summary.held}   "
            f"不放行 refused {summary.refused}"
        )
        self.say(
            f"  错误 wrong {summary.wrong_decisions}   误读 misread {summary.misread}   "
            f"记录 journalled {summary.events_journalled}   云端 in the cloud {summary.events_in_cloud}"
        )
        for match in doubtful:
            self.say(f"    {_doubt(match)}")
        if summary.permits is not None:
            permits = summary.permits
            self.say(
                f"  申请 applications {permits.applications}   进出 visits {permits.visits}, "
                f"结束 over {permits.visits_over}   记账 posted {permits.posted_g} g CO2e   "
                f"扫码 scans {permits.scans}, 减排 reduced {permits.points_g} g"
            )
        if summary.energy is not None:
            self._energy_account(summary.energy)

    def _energy_account(self, energy: EnergySummary) -> None:
        self.say(
            f"  光伏 PV {energy.pv_kwh:.1f} kWh   用电 load {energy.load_kwh:.1f}   充电 vehicles {energy.ev_kwh:.1f}"
        )
        self.say(
            f"  购电 import {energy.import_kwh:.1f} kWh   上网 export {energy.export_kwh:.1f}   "
            f"储能 storage +{energy.storage_discharge_kwh:.1f} −{energy.storage_charge_kwh:.1f}   "
            f"碳排放 carbon {energy.carbon_kg:.1f} kg"
        )
        self.say(
            f"  未供 unserved {energy.unserved_kwh:.2f} kWh   切负荷 shed {energy.shed_kwh:.2f}   "
            f"越限 limits passed {energy.violations}   全停 blackouts {energy.blackouts}"
        )


def _clock(text: str) -> str:
    return datetime.fromisoformat(text).astimezone(LOCAL_TIME).strftime("%H:%M:%S")


def _plate(passage: dict[str, Any]) -> str:
    return mask(passage["raw_plate"]) if passage["raw_plate"] else "—"


def _decided(passage: dict[str, Any]) -> str:
    chinese, english = _OUTCOMES.get(passage["outcome"], (passage["outcome"], ""))
    kind = _KINDS.get(passage["plate_kind"] or "", "车牌未读出 no plate read")
    reason = passage["reasons"][0]["code"] if passage["reasons"] else ""
    at = _clock(passage["decided_at"])
    return f"{at}  {passage['lane_id']:11} {_plate(passage):11} {kind:24} {chinese} {english}  [{reason}]"


def _by_guard(passage: dict[str, Any]) -> str:
    chinese, english = _OUTCOMES.get(passage["guard_outcome"], (passage["guard_outcome"], ""))
    at = _clock(passage["guard_at"])
    return f"{at}  {passage['lane_id']:11} {_plate(passage):11} 人工 by a guard: {chinese} {english}"


def _moved(passage: dict[str, Any]) -> str:
    words = _MOVEMENTS.get(passage["movement"], passage["movement"])
    return f"{_clock(passage['passed_at'])}  {passage['lane_id']:11} {_plate(passage):11} {words}"


def _doubt(match: Match) -> str:
    drawn = mask(match.vehicle["plate"]) if match.vehicle else "nothing"
    expected = "/".join(match.vehicle["expected_outcomes"]) if match.vehicle else "-"
    word = "wrong" if match.wrong else "misread"
    return (
        f"{word}: {match.passage['lane_id']} read {_plate(match.passage)}, drawn {drawn}; "
        f"{match.passage['outcome']}, expected {expected}"
    )


def narrator(*, json_wanted: bool) -> Narrator:
    """To the terminal; with `--json` to the error stream, so that the output stays machine-readable."""
    return Narrator(sys.stderr if json_wanted else sys.stdout)
