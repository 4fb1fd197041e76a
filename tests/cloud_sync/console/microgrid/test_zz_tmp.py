from typing import Any
import asyncio, json
import pytest
pytestmark = pytest.mark.asyncio(loop_scope="session")
async def test_shot(grid_desk: Any, island: Any) -> None:
    await island.full_day()
    await grid_desk.sign_in("operator")
    await grid_desk.open("/microgrid")
    await asyncio.sleep(2)
    await grid_desk.page.screenshot(path="/tmp/mg.png")
    await grid_desk.page.evaluate("""async () => {
      const { drawFlow } = await import('/static/flow.js');
      const n = (key, side, name, kw, tone) => ({ key, side, name, kw, text: kw.toLocaleString(), unit: 'kW', tone });
      drawFlow(document.querySelector('#flow'), [n('pv','source','光伏',2007,'pv'), n('grid','source','电网',2493,'grid'),
        n('a','sink','酒店群',713,'load'), n('b','sink','会议中心',324,'load'), n('s','sink','储能充电',2835,'storage'), n('e','sink','充电桩',133,'ev'),
        n('c','sink','其他负荷',191,'load'), n('d','sink','水泵与洒水',165,'load'), n('f','sink','公共设施',138,'load')]); }""")
    await grid_desk.page.screenshot(path="/tmp/mg7.png")
