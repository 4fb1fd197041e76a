"""What the `read` command says: owns the shape of its JSON lines, its CSV rows and its table for people."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from typing import Any, Protocol, TextIO

from tqdm import tqdm

from control.domain.plates import PlateColour, PlateKind, Verdict
from control.domain.readings import PlateReading, VehicleReading
from control.domain.vehicles import VehicleType

VERDICT_WORDS = {
    Verdict.NEW_ENERGY: "新能源 new energy",
    Verdict.FUEL: "燃油 fuel",
    Verdict.SPECIAL: "特种 special",
    Verdict.UNSURE: "不确定 unsure",
}
VERDICT_PAINT = {Verdict.NEW_ENERGY: "32", Verdict.FUEL: "31", Verdict.SPECIAL: "36", Verdict.UNSURE: "33"}
COLOUR_WORDS = {
    PlateColour.BLUE: "蓝 blue",
    PlateColour.YELLOW: "黄 yellow",
    PlateColour.GREEN: "绿 green",
    PlateColour.YELLOW_GREEN: "黄绿 yellow-green",
    PlateColour.WHITE: "白 white",
    PlateColour.BLACK: "黑 black",
    PlateColour.FARM_GREEN: "农绿 farm green",
    PlateColour.PAPER: "临牌 paper",
    PlateColour.UNKNOWN: "? unknown",
}
KIND_WORDS = {
    PlateKind.SMALL: "小型 small",
    PlateKind.LARGE: "大型 large",
    PlateKind.TRAILER: "挂车 trailer",
    PlateKind.NEV_SMALL: "小型新能源 small NEV",
    PlateKind.NEV_LARGE: "大型新能源 large NEV",
    PlateKind.POLICE: "警用 police",
    PlateKind.COACH: "教练 coach",
    PlateKind.HONG_KONG: "港 Hong Kong",
    PlateKind.MACAU: "澳 Macau",
    PlateKind.EMBASSY: "使馆 embassy",
    PlateKind.CONSULATE: "领馆 consulate",
    PlateKind.EMERGENCY: "应急 emergency",
    PlateKind.ARMED_POLICE: "武警 armed police",
    PlateKind.MILITARY: "军用 military",
    PlateKind.TRACTOR: "拖拉机 tractor",
    PlateKind.AVIATION: "民航 aviation",
    PlateKind.TEMPORARY: "临时 temporary",
    PlateKind.UNKNOWN: "? unknown",
}
TYPE_WORDS = {
    VehicleType.CAR: "轿车 car",
    VehicleType.MINIBUS: "面包车 minibus",
    VehicleType.BUS: "客车 bus",
    VehicleType.PICKUP: "皮卡 pickup",
    VehicleType.TRUCK: "货车 truck",
    VehicleType.FIRE_ENGINE: "消防车 fire engine",
    VehicleType.AMBULANCE: "救护车 ambulance",
    VehicleType.POLICE_CAR: "警用车 police car",
    VehicleType.CRANE: "汽车起重机 crane",
    VehicleType.MACHINERY: "工程机械 machinery",
    VehicleType.SANITATION: "环卫车 sanitation",
    VehicleType.GOLF_CART: "电瓶游览车 golf cart",
    VehicleType.MOTORCYCLE: "摩托车 motorcycle",
    VehicleType.TRICYCLE: "三轮车 tricycle",
    VehicleType.UNKNOWN: "车型不确定 type unsure",
}


@dataclass(frozen=True, slots=True)
class Result:
    """One line of the answer: a picture, an arrival in a video, or a file that could not be read."""

    file: str
    ms: float
    plates: tuple[PlateReading, ...] = ()
    vehicles: tuple[VehicleReading, ...] | None = None
    error: str | None = None
    frame: int | None = None
    at_s: float | None = None


class Sink(Protocol):
    """Takes the results, one by one, as they come."""

    def put(self, result: Result) -> None:
        """Show or store one result at once."""


def as_json(result: Result) -> dict[str, Any]:
    """The JSON object of one result, in the contract's order."""
    answer: dict[str, Any] = {
        "file": result.file,
        "ms": round(result.ms, 1),
        "plates": [_plate_json(plate) for plate in result.plates],
        "vehicles": [_vehicle_json(vehicle) for vehicle in result.vehicles or ()],
        "error": result.error,
    }
    if result.frame is not None and result.at_s is not None:
        answer |= {"frame": result.frame, "at_s": round(result.at_s, 3)}
    return answer


def _plate_json(plate: PlateReading) -> dict[str, Any]:
    identity = plate.identity
    return {
        "text": identity.text,
        "kind": identity.kind,
        "colour": identity.colour,
        "energy": identity.energy,
        "verdict": identity.verdict,
        "confidence": round(plate.confidence, 4),
        "quad": [[round(x, 1), round(y, 1)] for x, y in plate.quad],
    }


def _vehicle_json(vehicle: VehicleReading) -> dict[str, Any]:
    return {
        "type": vehicle.type,
        "confidence": round(vehicle.confidence, 4),
        "box": [round(value, 1) for value in vehicle.box],
    }


def vehicle_words(vehicle: VehicleReading) -> str:
    """Its type in both languages, and how sure that is."""
    return f"{TYPE_WORDS[vehicle.type]} {vehicle.confidence:.0%}"


class JsonLines:
    """One JSON object a line, flushed at once."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def put(self, result: Result) -> None:
        """Write one line."""
        text = json.dumps(as_json(result), ensure_ascii=False)
        self._stream.write(_printable(text, self._stream) + "\n")
        self._stream.flush()


def _printable(text: str, stream: TextIO) -> str:
    """The text as the stream can take it: file names may hold bytes that are no UTF-8, which become \\u escapes."""
    encoding = stream.encoding or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return "".join(c if c.isascii() else json.dumps(c)[1:-1] for c in text)
    return text


class CsvRows:
    """One row a plate; a file without plates or with an error has one row too. `vehicles` are those of the picture."""

    COLUMNS = ("file", "at_s", "text", "kind", "colour", "energy", "verdict", "confidence", "ms", "error", "vehicles")

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._writer = csv.DictWriter(stream, self.COLUMNS, restval="", extrasaction="ignore")
        self._writer.writeheader()

    def put(self, result: Result) -> None:
        """Write the rows of one result, at once."""
        self.put_answer(as_json(result))

    def put_answer(self, answer: dict[str, Any]) -> None:
        """Write the rows of one JSON object."""
        shared = {key: answer.get(key) for key in ("file", "at_s", "ms", "error")}
        shared["vehicles"] = " ".join(vehicle["type"] for vehicle in answer["vehicles"])
        for plate in answer["plates"] or [{}]:
            self._writer.writerow({key: "" if value is None else value for key, value in (shared | plate).items()})
        self._stream.flush()


class Table:
    """A table for people; verdicts are coloured on a terminal, and named in words everywhere."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._painted = stream.isatty()

    def put(self, result: Result) -> None:
        """Print the lines of one result."""
        at = "" if result.at_s is None else f" @ {result.at_s:.1f} s"
        if result.error:
            lines = [f"✗ {result.error}"]
        elif not result.plates:
            lines = ["— 无车牌 no plate"]
        else:
            lines = [self._plate_line(plate) for plate in result.plates]
        if result.vehicles:
            lines.append("车辆 vehicles: " + ", ".join(map(vehicle_words, result.vehicles)))
        for line in lines:
            tqdm.write(_printable(f"{result.file}{at}  {line}", self._stream), file=self._stream)
        self._stream.flush()

    def _plate_line(self, plate: PlateReading) -> str:
        identity = plate.identity
        verdict = VERDICT_WORDS[identity.verdict]
        if self._painted:
            verdict = f"\033[{VERDICT_PAINT[identity.verdict]}m{verdict}\033[0m"
        words = (identity.text, KIND_WORDS[identity.kind], COLOUR_WORDS[identity.colour], verdict)
        return "  ".join((*words, f"{plate.confidence:.0%}"))
