import pytest, asyncio
from typing import Any
from dataclasses import replace
from decimal import Decimal
from control.domain.plates import PlateColour
from control.domain.permits import PermitClass
from control.domain.vehicles import VehicleType
from control.permits.application import Drive, EntryKind, Purpose
import importlib.util, sys
pytestmark = pytest.mark.asyncio(loop_scope="session")
async def test_shots(office_desk: Any, office: Any) -> None:
    from datetime import timedelta
    a = await office.filed(papers=4)
    b = await office.filed("other", plate="琼A7Q530", vehicle_type=VehicleType.MACHINERY, holder="南网琼海供电局", purpose=Purpose.POWER_REPAIR, purpose_text="线路抢修")
    c = await office.filed("other", plate="琼CA8812", plate_colour=PlateColour.BLUE, vehicle_type=VehicleType.AMBULANCE, emission_class="ambulance", holder="琼海市人民医院", purpose=Purpose.MEDICAL, purpose_text="", consumption_per_100km=None)
    d = await office.filed("driver", plate="琼B33Z07", vehicle_type=VehicleType.TRUCK, emission_class="generator_truck", holder="中能应急")
    await office.returned(d, {"holder": "与行驶证上的单位不一致", "papers": "行驶证看不清到期日", "": "其余没有问题"})
    e = await office.filed("driver", plate="琼C92M40", vehicle_type=VehicleType.SANITATION, emission_class="heavy_truck", holder="琼海环卫", permit_class=PermitClass.STANDING, entry_kind=EntryKind.STANDING, entries=None, window_from=__import__("datetime").datetime.now(__import__("datetime").UTC)+timedelta(days=5), window_until=__import__("datetime").datetime.now(__import__("datetime").UTC)+timedelta(days=60))
    await office.approved(e)
    f = await office.filed("driver", plate="琼C0P115", holder="博鳌建工"); 
    from cloud_sync.server.permits import applications
    await applications.refuse(office.site.given, office.users["second"], f, reason="材料不能说明事由")
    g = await office.filed("driver", plate="琼C40R16", holder="海汽救援")
    desk = await office_desk("second", width=1440, height=900)
    await desk.open(f"/reviews/{g}"); await desk.page.wait_for_timeout(600)
    await desk.page.keyboard.press("Enter"); await desk.page.wait_for_timeout(2500)
    await desk.open(f"/reviews/{a}"); await desk.page.wait_for_timeout(800)
    await desk.page.screenshot(path="/tmp/shots/reviews_zh.png")
    print(desk.seen.errors)
    await desk.page.keyboard.press("b"); await desk.page.wait_for_timeout(300)
    await desk.page.screenshot(path="/tmp/shots/reviews_return_zh.png")
    await desk.page.keyboard.press("Escape"); await desk.page.wait_for_timeout(300)
    await desk.page.keyboard.press("d"); await desk.page.wait_for_timeout(300)
    await desk.page.screenshot(path="/tmp/shots/reviews_refuse_zh.png")
    await desk.page.keyboard.press("Escape")
    await desk.page.locator("[data-paper]").first.click(); await desk.page.wait_for_timeout(500)
    await desk.page.screenshot(path="/tmp/shots/reviews_paper_zh.png")
    await desk.page.keyboard.press("Escape")
    for name, path in (("app_returned", f"/applications/{d}"), ("app_refused", f"/applications/{f}"), ("app_approved", f"/applications/{g}"), ("new", "/reviews/new"), ("permits", "/permits?show=all"), ("second", f"/reviews/{e}"), ("done","/reviews?show=done"), ("edit", f"/applications/{d}/edit")):
        await desk.open(path); await desk.page.wait_for_timeout(500)
        await desk.page.screenshot(path=f"/tmp/shots/{name}_zh.png")
    print(desk.seen.errors)
    desk = await office_desk("second", "en", "dark", width=1280, height=800)
    await desk.open(f"/reviews/{a}"); await desk.page.wait_for_timeout(800)
    await desk.page.screenshot(path="/tmp/shots/reviews_en_dark.png")
    desk = await office_desk("second", width=390, height=844)
    await desk.page.wait_for_timeout(500)
    await desk.page.screenshot(path="/tmp/shots/reviews_390.png")
    await desk.open(f"/reviews/{a}"); await desk.page.wait_for_timeout(800)
    await desk.page.screenshot(path="/tmp/shots/reviews_390_picked.png", full_page=True)
