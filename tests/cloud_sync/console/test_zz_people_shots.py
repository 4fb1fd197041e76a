import os
from datetime import UTC, datetime
import pytest
from cloud_sync.server import auth, store
from cloud_sync.server.people import consents, data_requests, members, organisations
pytestmark = pytest.mark.asyncio(loop_scope="session")
SHOTS = [tuple(x.split("|")) for x in os.environ.get("PSHOTS","").split(";") if x]
@pytest.mark.parametrize(("language","theme"), [("zh","light"),("en","dark")])
async def test_shots(make_desk, site, people, language, theme):
    given = site.given
    ids={}
    for role, name in (("visitor","林小雨"),("reviewer","周敏"),("driver","符师傅"),("merchant","椰店"),("organisation","物流")):
        ids[role]=await auth.insert_user(given.pool, username=role, name=name, role=auth.Role(role), password_hash=await given.passwords.hash("a long enough password"), at=given.clock())
    async with given.pool.acquire() as c:
        await consents.note(c, members.account_uuid(ids["visitor"]), given=["terms"], language="zh", by=members.account_uuid(ids["visitor"]), at=given.clock())
    a=store.Actor("reviewer")
    o=await organisations.add(given,a,kind=members.OrganisationKind.APPLICANT,name="琼海物流有限公司",name_en="Qionghai Haulage")
    await organisations.add(given,a,kind=members.OrganisationKind.MERCHANT,name="椰子店",name_en="Coconut shop")
    await organisations.add_member(given,a,o.org_id,ids["driver"]); await organisations.add_member(given,a,o.org_id,ids["organisation"])
    r=await data_requests.ask(given,store.Actor("visitor"),ids["visitor"],kind=data_requests.RequestKind.DELETION,message="我不再上岛了，请删除我的账号和行程记录。")
    await data_requests.note_down(given,a,username="",contact="海口市滨海大道 1 号，王先生",kind=data_requests.RequestKind.COPY,message="来信索取闸口照片。")
    await store.note_access(given,a,"personal_data_copied",("user",ids["visitor"]))
    for name, role, path in SHOTS:
        desk = await make_desk(language, theme)
        if role: await desk.sign_in(role)
        await desk.open(path.replace("REQ", r))
        await desk.page.wait_for_timeout(400)
        print(name, await desk.axe())
        await desk.page.screenshot(path=f"/tmp/shots/pp_{name}_{language}_{theme}.png")
