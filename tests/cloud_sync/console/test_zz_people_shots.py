import os
import pytest
pytestmark = pytest.mark.asyncio(loop_scope="session")
SHOTS = [tuple(x.split("|")) for x in os.environ.get("PSHOTS","").split(";") if x]
@pytest.mark.parametrize(("language","theme"), [("zh","light"),("en","dark")])
async def test_shots(make_desk, language, theme):
    last=None
    for name, role, path in SHOTS:
        desk = await make_desk(language, theme)
        if role: await desk.sign_in(role)
        await desk.open(path)
        await desk.page.wait_for_timeout(400)
        await desk.page.screenshot(path=f"/tmp/shots/pp_{name}_{language}_{theme}.png")
