"""Scenario files: what is read, and that every fault is told with file, row and key."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from control.domain.errors import ConfigurationError
from edge.energy.scenario_file import COLUMNS, doubts, read_scenario

HEADER = ",".join(COLUMNS)
ROWS = (
    "2026-07-01T00:00:00+08:00,100.5,0,0.31,0.28,0.3648,1",
    "2026-07-01T00:15:00+08:00,90,1.5,0.31,0.28,0.3648,true",
    "2026-07-01T00:30:00+08:00,80,2.5,0.66,-0.1,0.3648,0",
    "2026-07-01T00:45:00+08:00,70,3.5,-0.2,0.9,0.3648,False",
)
STORAGE = {
    "capacity_kwh": "1000",
    "power_charge_kw": "250.0",
    "power_discharge_kw": "300",
    "efficiency_charge": "0.95",
    "efficiency_discharge": "1",
    "soc_min": "0.1",
    "soc_max": "0.9",
    "soc_initial": "0.5",
    "wear_cost_per_kwh": "0.02",
}
GRID = {
    "import_max_kw": "800",
    "export_max_kw": "400",
    "demand_charge_per_kw": "40",
    "co2_price_per_kg": "0.08",
}


def toml(
    storage: dict[str, str | None] | None = None, grid: dict[str, str | None] | None = None, rest: str = ""
) -> str:
    """The tables with these keys changed; None leaves a key out."""

    def table(name: str, keys: dict[str, str | None]) -> str:
        return f"[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in keys.items() if value is not None)

    return table("storage", STORAGE | (storage or {})) + table("grid", GRID | (grid or {})) + rest


def put(folder: Path, *, rows: tuple[str, ...] = ROWS, header: str = HEADER, end: str = "\n", also: str = "") -> Path:
    path = folder / "site.csv"
    path.write_bytes((also + end.join((header, *rows)) + end).encode())
    (folder / "site.toml").write_text(toml(), encoding="utf-8")
    return path


def told(path: Path) -> str:
    with pytest.raises(ConfigurationError) as error:
        read_scenario(path)
    return str(error.value)


def test_a_good_file(tmp_path: Path) -> None:
    made = read_scenario(put(tmp_path))
    assert (made.name, made.steps, made.step_s) == ("site", 4, 900.0)
    assert made.at0.utcoffset() == timedelta(hours=8)
    assert str(made.local[3]) == "2026-07-01T00:45:00"
    assert made.load_kw.tolist() == [100.5, 90.0, 80.0, 70.0]
    assert made.import_price.tolist() == [0.31, 0.31, 0.66, -0.2]
    assert made.export_price.tolist() == [0.28, 0.28, -0.1, 0.9]
    assert made.grid_up.tolist() == [True, True, False, False]
    assert (made.storage.capacity_kwh, made.storage.discharge_max_kw, made.soc_initial_frac) == (1000.0, 300.0, 0.5)
    assert (made.import_max_kw, made.demand_charge_per_kw, made.co2_price_per_kg) == (800.0, 40.0, 0.08)
    assert made.unserved_cost_per_kwh == 20.0
    assert made.genset is None


def test_byte_order_mark_carriage_returns_blank_lines_and_spaces(tmp_path: Path) -> None:
    rows = (ROWS[0].replace(",", " , "), "", *ROWS[1:], "", "")
    made = read_scenario(put(tmp_path, rows=rows, end="\r\n", also="\ufeff"))
    assert made.load_kw.tolist() == [100.5, 90.0, 80.0, 70.0]


def test_columns_in_another_order(tmp_path: Path) -> None:
    names = HEADER.split(",")[::-1]
    rows = tuple(",".join(row.split(",")[::-1]) for row in ROWS)
    assert read_scenario(put(tmp_path, header=",".join(names), rows=rows)).pv_kw.tolist() == [0.0, 1.5, 2.5, 3.5]


def test_summer_time_counts_by_offset(tmp_path: Path) -> None:
    """In Berlin the clock leaps from 02:00 to 03:00; the instants stay an hour apart."""
    times = ("2026-03-29T00:00:00+01:00", "2026-03-29T01:00:00+01:00", "2026-03-29T03:00:00+02:00", "2026-03-29T02:00Z")
    rows = tuple(f"{at},1,0,1,0,0,1" for at in times)
    made = read_scenario(put(tmp_path, rows=rows))
    assert made.step_s == 3600.0
    assert str(made.local[2]) == "2026-03-29T03:00:00"
    leap = (times[0], "2026-03-29T01:00:00+01:00", "2026-03-29T03:00:00+01:00")
    assert "row 4, at: the step is 7200 s here and 3600 s" in told(
        put(tmp_path, rows=tuple(f"{at},1,0,1,0,0,1" for at in leap))
    )


def test_an_optional_generator_set_and_price_of_unserved_load(tmp_path: Path) -> None:
    path = put(tmp_path)
    set_keys = "[genset]\nmin_kw = 20\nmax_kw = 100\nfuel_cost_per_kwh = 0.9\nco2_kg_per_kwh = 0.7\n"
    (tmp_path / "site.toml").write_text(toml(grid={"unserved_cost_per_kwh": "5"}, rest=set_keys))
    made = read_scenario(path)
    assert made.genset is not None
    assert (made.genset.min_kw, made.genset.max_kw, made.unserved_cost_per_kwh) == (20.0, 100.0, 5.0)
    (tmp_path / "site.toml").write_text(toml(rest=set_keys.replace("= 20", "= 200")))
    assert "site.toml: [genset] min_kw is 200: it must not be above max_kw, 100" in told(path)


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        (1, "-3", "row 3, load_kw: -3 is negative"),
        (1, "nan", "row 3, load_kw: nan is not finite"),
        (2, "inf", "row 3, pv_kw: inf is not finite"),
        (2, "", "row 3, pv_kw: it is missing"),
        (3, "cheap", "row 3, import_price: 'cheap' is no number"),
        (4, "0,5", "row 3: it has 8 fields, the header has 7"),
        (5, "-0.1", "row 3, co2_kg_per_kwh: -0.1 is negative"),
        (1, "1e300", "row 3, load_kw: 1e300 cannot be meant; at most 1e+09 is taken"),
        (3, "-1e10", "row 3, import_price: -1e10 cannot be meant"),
        (6, "yes", "row 3, grid_up: 'yes' is neither 1, 0, true or false"),
        (6, "", "row 3, grid_up: it is missing"),
        (0, "2026-07-01T00:15:00", "row 3, at: 2026-07-01T00:15:00 has no offset; write 2026-07-01T00:15:00+08:00"),
        (0, "2026-07-01", "row 3, at: 2026-07-01 has no offset; write 2026-07-01T00:00:00+08:00"),
        (0, "2026-07-01T00:15:00+07:00", "row 4, at: 2026-07-01T00:30:00+08:00 is not after 2026-07-01T00:15:00+07:00"),
        (0, "1 July", "row 3, at: '1 July' is no time in ISO 8601"),
        (0, "", "row 3, at: it is missing"),
        (0, "2026-07-01T00:00:00+08:00", "row 3, at: 2026-07-01T00:00:00+08:00 is not after"),
        (0, "2026-06-30T23:00:00+08:00", "row 3, at: 2026-06-30T23:00:00+08:00 is not after"),
        (0, "2026-07-01T00:10:00+08:00", "row 4, at: the step is 1200 s here and 600 s at the beginning"),
    ],
)
def test_a_bad_cell_is_told_with_file_row_and_key(tmp_path: Path, column: int, value: str, said: str) -> None:
    cells = ROWS[1].split(",")
    cells[column] = value
    text = told(put(tmp_path, rows=(ROWS[0], ",".join(cells), *ROWS[2:])))
    assert "site.csv" in text
    assert said in text


@pytest.mark.parametrize(
    ("storage", "grid", "said"),
    [
        ({"capacity_kwh": None}, {}, "[storage] capacity_kwh is missing"),
        ({"capacity_kwh": "0"}, {}, "[storage] capacity_kwh is 0: it must be above 0"),
        ({"capacity_kwh": "0"}, {}, "a site without storage has power_charge_kw and power_discharge_kw 0"),
        ({"capacity_kwh": "1" + "0" * 400}, {}, "[storage] capacity_kwh is 1000"),
        ({"capacity_kwh": "1" * 5000}, {}, "site.toml is no TOML"),
        (
            {"capacity_kwh": "2026-07-01"},
            {},
            "[storage] capacity_kwh is datetime.date(2026, 7, 1): it must be a finite",
        ),
        ({"capacity_kwh": None, "capacity_kw": "5"}, {}, "capacity_kw is unknown. Did you mean capacity_kwh?"),
        (
            {"efficiency_charge": "95"},
            {},
            "efficiency_charge is 95: it must be above 0 and at most 1 (a part of 1, not",
        ),
        ({"power_charge_kw": "-1"}, {}, "[storage] power_charge_kw is -1: it must be at least 0"),
        ({"efficiency_charge": "1.05"}, {}, "[storage] efficiency_charge is 1.05: it must be above 0 and at most 1"),
        ({"efficiency_discharge": "0"}, {}, "[storage] efficiency_discharge is 0"),
        ({"soc_min": "0.95"}, {}, "[storage] soc_min is 0.95: it must be below soc_max, 0.9"),
        ({"soc_initial": "0.05"}, {}, "[storage] soc_initial is 0.05: it must be between soc_min, 0.1, and soc_max"),
        ({"soc_initial": "95"}, {}, "[storage] soc_initial is 95: it must be at least 0 and at most 1"),
        ({"wear_cost_per_kwh": '"a lot"'}, {}, "[storage] wear_cost_per_kwh is 'a lot': it must be a finite number"),
        ({"wear_cost_per_kwh": "nan"}, {}, "[storage] wear_cost_per_kwh is nan"),
        ({"capacity": "3"}, {}, "[storage] capacity is unknown"),
        ({}, {"import_max_kw": None}, "[grid] import_max_kw is missing"),
        ({}, {"import_max_kw": "-1"}, "[grid] import_max_kw is -1: it must be at least 0"),
        ({}, {"import_max": "3"}, "[grid] import_max is unknown. Did you mean import_max_kw?"),
        ({}, {"export_max_kw": "inf"}, "[grid] export_max_kw is inf"),
        ({}, {"demand_charge_per_kw": "true"}, "[grid] demand_charge_per_kw is True"),
    ],
)
def test_a_bad_key_is_told_with_file_and_key(
    tmp_path: Path, storage: dict[str, str | None], grid: dict[str, str | None], said: str
) -> None:
    path = put(tmp_path)
    (tmp_path / "site.toml").write_text(toml(storage, grid))
    text = told(path)
    assert "site.toml" in text
    assert said in text


def test_bad_headers_and_files(tmp_path: Path) -> None:
    assert "row 1: the column pv_kw is missing" in told(put(tmp_path, header=HEADER.replace(",pv_kw", ",sun_kw")))
    assert "column pv_kw is missing (is it 'PV_kWh'?)" in told(put(tmp_path, header=HEADER.replace("pv_kw", "PV_kWh")))
    assert "row 1: the column 'wind' is unknown" in told(put(tmp_path, header=HEADER + ",wind"))
    assert "row 1: the column at is there twice" in told(put(tmp_path, header=HEADER + ",at"))
    assert "row 1: the column at is missing" in told(put(tmp_path, header=ROWS[0]))
    assert "separated by semicolons, not commas" in told(put(tmp_path, header=HEADER.replace(",", ";")))
    assert "separated by tabs, not commas" in told(put(tmp_path, header=HEADER.replace(",", "\t")))
    assert "has 1 row of data" in told(put(tmp_path, rows=ROWS[:1]))
    assert "has no row of data" in told(put(tmp_path, rows=()))
    assert "row 2: it has 6 fields" in told(put(tmp_path, rows=(ROWS[0][:-2],)))
    assert "row 4: it has 6 fields" in told(put(tmp_path, rows=(ROWS[0], "", ROWS[1][:-5])))
    path = put(tmp_path)
    path.write_bytes(b"")
    assert "site.csv is empty" in told(path)
    path.write_bytes(HEADER.encode() + b"\n\xff\xfe")
    assert "site.csv is no UTF-8 text" in told(path)
    path.write_text(HEADER + '\n"unclosed')
    assert "no CSV" in told(path)
    path.unlink()
    assert "site.csv is missing" in told(path)
    assert "name the .csv file" in told(tmp_path / "site.toml")


def test_bad_toml_files(tmp_path: Path) -> None:
    path, beside = put(tmp_path), tmp_path / "site.toml"
    beside.write_text("[storage\n")
    assert "site.toml is no TOML" in told(path)
    beside.write_text(toml(rest="[sun]\nkw = 3\n"))
    assert "site.toml: [sun] is unknown. There are storage, grid, genset." in told(path)
    beside.write_text(toml(rest="[gridd]\nkw = 3\n"))
    assert "site.toml: [gridd] is unknown. Did you mean grid?" in told(path)
    beside.write_text("x = " + "[" * 4000)
    assert "site.toml is no TOML" in told(path)
    beside.write_text("storage = 3\n")
    assert "the table [storage] is missing" in told(path)
    beside.write_bytes(b"\xff")
    assert "site.toml is no UTF-8 text" in told(path)
    beside.unlink()
    assert "site.toml is missing: it must stand beside the .csv file" in told(path)


def test_a_folder_in_place_of_a_file(tmp_path: Path) -> None:
    put(tmp_path).unlink()
    (tmp_path / "site.csv").mkdir()
    assert "site.csv cannot be read" in told(tmp_path / "site.csv")


def test_files_that_cannot_be_opened(tmp_path: Path) -> None:
    path = put(tmp_path)
    (tmp_path / "site.toml").unlink()
    (tmp_path / "site.toml").mkdir()
    assert "site.toml cannot be read" in told(path)
    assert "cannot be read" in told(path / "inner.csv")
    loop = tmp_path / "loop.csv"
    loop.symlink_to(loop)
    assert "loop.csv cannot be read" in told(loop)


def test_columns_in_any_order_and_a_chinese_name(tmp_path: Path) -> None:
    put(tmp_path)
    order = (6, 2, 0, 5, 1, 4, 3)
    lines = [",".join(line.split(",")[i] for i in order) for line in (HEADER, *ROWS)]
    path = tmp_path / "博鳌 七月.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    (tmp_path / "博鳌 七月.toml").write_text(toml(), encoding="utf-8")
    usual, other = read_scenario(tmp_path / "site.csv"), read_scenario(path)
    assert other.name == "博鳌 七月"
    for key in COLUMNS[1:]:
        assert getattr(other, key).tolist() == getattr(usual, key).tolist()
    assert "博鳌 七月.csv, row 3, load_kw: 'x' is no number" in told(_spoilt(path))


def _spoilt(path: Path) -> Path:
    path.write_text(path.read_text(encoding="utf-8").replace(",90,", ",x,"), encoding="utf-8")
    return path


def test_units_that_look_mistaken_are_doubted_and_not_refused(tmp_path: Path) -> None:
    path = put(tmp_path)
    assert doubts(path, read_scenario(path)) == ()
    cents = tuple(row.replace(",0.31,", ",31,").replace(",0.66,", ",66,").replace("0.3648", "364.8") for row in ROWS)
    told_of = doubts(path, read_scenario(put(tmp_path, rows=cents)))
    assert [text.split(": ")[0].rpartition(", ")[2] for text in told_of] == ["import_price", "co2_kg_per_kwh"]
    assert "Is it given in cents or per MWh?" in told_of[0]
    watts = tuple(row.replace("100.5", "100500").replace(",90,", ",90000,") for row in ROWS)
    assert "Is it given in W?" in doubts(path, read_scenario(put(tmp_path, rows=watts)))[0]
