"""A month is what its feeds say; a gap is a gap in JSON, CSV, workbook and paper, and never a zero."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import cv2
import numpy as np
import openpyxl
import pypdfium2
import pytest

from cloud_sync.server.carbon.inventory import Month, month_of, span

OCTOBER = datetime(2026, 9, 30, 16, tzinfo=UTC)  # 1 October on the island
HOURS = 31 * 24
QUARTERS = 4 * HOURS
CERTIFICATE = cv2.imencode(".jpg", np.full((480, 640, 3), 200, np.uint8))[1].tobytes()


async def whole_october(data: Any, **more: Any) -> None:
    await data.quarters(OCTOBER, QUARTERS, **more)
    await data.gate("gw-east", OCTOBER, HOURS)


async def test_a_whole_month_has_a_net_and_exports_say_the_same(data: Any, sign_in: Any) -> None:
    await whole_october(data)
    office = await sign_in("reviewer")
    (month,) = (await office.get("/reports/months?first=2026-10&last=2026-10")).json()
    assert month["grid_import_kwh"] == str(10 * QUARTERS)
    assert month["pv_used_kwh"] == str(16 * QUARTERS)
    assert month["missing"] == []
    assert month["net_location_g"] == month["grid_location_g"] == 10 * QUARTERS * 3648 // 10
    assert set(month["completeness"].values()) == {"1"}
    answer = await office.get("/reports/months.csv?first=2026-10&last=2026-10&lang=en")
    assert answer.content.startswith(b"\xef\xbb\xbf")
    head, row = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
    told = dict(zip(head, row, strict=True))
    assert told["Month"] == "2026-10"
    assert told["Net, by place (kgCO₂e)"] == f"{month['net_location_g'] / 1000}"
    book = openpyxl.load_workbook(
        io.BytesIO((await office.get("/reports/months.xlsx?first=2026-10&last=2026-10&lang=en")).content)
    )
    assert book.sheetnames == ["Inventory", "Factors", "Completeness", "Green power"]
    heads = [cell.value for cell in book["Inventory"][3]]
    values = dict(zip(heads, [cell.value for cell in book["Inventory"][4]], strict=True))
    assert values["Electricity from the grid (kWh)"] == 10 * QUARTERS
    assert values["Net, by place (kgCO₂e)"] == month["net_location_g"] / 1000
    assert [row[1].value for row in book["Factors"].iter_rows(min_row=2)] == ["grid.area", "grid.hainan.co2"]
    book.close()
    paper = await office.post("/papers", {"kind": "month", "subject": "2026-10", "language": "en"})
    assert paper.status_code == 201
    file = (await office.get(f"/papers/{paper.json()['paper_id']}/file")).content
    document = pypdfium2.PdfDocument(file)
    text = document[0].get_textpage().get_text_bounded()
    document.close()
    assert f"{month['net_location_g'] / 1000:,.2f}" in text
    running = await office.post("/papers", {"kind": "month", "subject": "2026-11"})
    assert (running.status_code, running.json()["code"]) == (404, "nothing_to_say")
    assert (await office.post("/papers", {"kind": "year", "subject": "2026", "language": "zh"})).status_code == 201


async def test_one_missing_quarter_hour_takes_the_net_away(data: Any, sign_in: Any) -> None:
    await whole_october(data, without=(17,))
    office = await sign_in("auditor")
    (month,) = (await office.get("/reports/months?first=2026-10&last=2026-10")).json()
    assert (month["net_location_g"], month["gross_location_g"], month["renewable_frac"]) == (None, None, None)
    assert month["missing"] == ["grid_import", "pv_used", "exported"]
    assert month["completeness"]["grid_import"] == "0.999664"
    assert month["known_net_location_g"] > 0
    told = (await office.get("/reports/months.csv?first=2026-10&last=2026-10&lang=en")).content.decode("utf-8-sig")
    head, row = csv.reader(io.StringIO(told))
    assert dict(zip(head, row, strict=True))["Net, by place (kgCO₂e)"] == ""
    (empty,) = (await office.get("/reports/months?first=2026-08&last=2026-08")).json()
    assert set(empty["completeness"].values()) == {"0", "1"}
    assert empty["completeness"]["sinks"] == "1"
    assert empty["missing"] == ["fuel", "grid_import", "pv_used", "exported"]


async def test_a_month_in_which_one_of_two_gates_is_silent_has_no_net(data: Any, sign_in: Any) -> None:
    await whole_october(data)
    # It gave a sign of life before the month, a passage at 03:05 on the 1st, and nothing for the rest of 10 hours.
    await data.gate("gw-west", OCTOBER - timedelta(hours=1), HOURS + 1, silent=tuple(range(1, 11)))
    await data.passage("w-1", OCTOBER + timedelta(hours=3, minutes=5), gateway="gw-west")
    await data.passage("e-1", OCTOBER + timedelta(hours=4, minutes=5))
    office = await sign_in("auditor")
    (month,) = (await office.get("/reports/months?first=2026-10&last=2026-10")).json()
    assert (month["net_location_g"], month["net_market_g"], month["missing"]) == (None, None, ["fuel"])
    assert float(month["completeness"]["fuel"]) == pytest.approx(1 - 9 / 2 / HOURS, abs=1e-6)
    # One that is taken out of service is not expected after its last sign of life, a new one not before its first.
    await data.pool.execute("DELETE FROM events WHERE gateway_id = 'gw-west' AND seq > 1")
    await data.pool.execute("DELETE FROM passages WHERE gateway_id = 'gw-west'")
    await data.pool.execute("UPDATE gateways SET enabled = false WHERE gateway_id = 'gw-west'")
    await data.gate("gw-new", OCTOBER + timedelta(days=30), 24)
    (month,) = (await office.get("/reports/months?first=2026-10&last=2026-10")).json()
    assert (month["missing"], month["completeness"]["fuel"]) == ([], "1")
    assert month["net_location_g"] is not None


async def test_a_gate_that_does_not_see_tells_nothing(data: Any, sign_in: Any) -> None:
    await whole_october(data)
    await data.pool.execute(
        "INSERT INTO lanes (gateway_id, lane_id, gate_id, direction) VALUES ('gw-east', 'l2', 'gw-east', 'out')"
    )
    noon = OCTOBER + timedelta(hours=12)
    await data.lost("gw-east", "camera", "l1", noon + timedelta(minutes=30), timedelta(hours=2))
    await data.lost("gw-east", "reader", None, noon + timedelta(hours=10), timedelta(hours=1))
    await data.lost("gw-east", "barrier", "l1", noon, timedelta(hours=9))
    office = await sign_in("auditor")
    (month,) = (await office.get("/reports/months?first=2026-10&last=2026-10")).json()
    assert month["missing"] == ["fuel"]
    # One of two lanes for two hours, both for one.
    assert float(month["completeness"]["fuel"]) == pytest.approx(1 - 2 / HOURS, abs=1e-6)
    # A loss that nobody ended is over when the gateway runs anew.
    await data.pool.execute("DELETE FROM alarms")
    await data.lost("gw-east", "camera", "l1", noon, None)
    await data.pool.execute(
        "UPDATE events SET boot_id = 'next' WHERE gateway_id = 'gw-east' AND wall_at > $1", noon + timedelta(hours=4)
    )
    (month,) = (await office.get("/reports/months?first=2026-10&last=2026-10")).json()
    assert float(month["completeness"]["fuel"]) == pytest.approx(1 - (4 + 59 / 60) / 2 / HOURS, abs=1e-6)


async def test_green_power_counts_with_a_document_and_until_it_is_withdrawn(data: Any, sign_in: Any) -> None:
    await whole_october(data)
    office = await sign_in("approver")
    body = {"month": "2026-10", "kwh": "10000", "reference": "GEC 2026-44", "document_sha256": "a" * 64}
    refused = await office.post("/reports/green-power", body)
    assert (refused.status_code, refused.json()["code"]) == (422, "paper_unknown")
    headers = {"X-CSRF-Token": office.csrf_token, "Content-Type": "image/jpeg"}
    sent = await office.http.post("/api/v1/documents", content=CERTIFICATE, headers=headers)
    assert sent.status_code in (200, 201), sent.text
    body["document_sha256"] = sent.json()["sha256"]
    made = await office.post("/reports/green-power", body)
    assert made.status_code == 201
    assert (await office.post("/reports/green-power", body)).json()["code"] == "already_exists"
    (month,) = (await office.get("/reports/months?first=2026-10&last=2026-10")).json()
    assert month["green_kwh"] == "10000"
    assert month["grid_location_g"] - month["grid_market_g"] == 3_648_000
    sink = {"month": "2026-10", "grams": 1_000, "method": "mangroves by area", "source": "survey 3"}
    sink_id = (await office.post("/reports/sinks", sink)).json()["id"]
    (month,) = (await office.get("/reports/months?first=2026-10&last=2026-10")).json()
    assert month["net_market_g"] == month["grid_market_g"] - 1_000
    gone = await office.post(f"/reports/green-power/{made.json()['id']}/withdraw", {"reason": "not cancelled"})
    assert gone.status_code == 204
    assert (await office.post(f"/reports/sinks/{sink_id}/withdraw", {"reason": "wrong month"})).status_code == 204
    (month,) = (await office.get("/reports/months?first=2026-10&last=2026-10")).json()
    assert (month["green_kwh"], month["sinks_g"]) == ("0", 0)
    assert (await office.get("/reports/green-power")).json() == []


def test_months_follow_each_other_over_the_year() -> None:
    assert [str(one) for one in span(Month(2026, 11), Month(2027, 2))] == ["2026-11", "2026-12", "2027-01", "2027-02"]
    assert span(Month(2027, 1), Month(2026, 12)) == ()
    assert month_of("2026-02").days == 28
