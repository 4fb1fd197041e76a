"""All programs of an island on this machine: owns the order in which they start and end, and how to reach them.

Cloud first (with its database and broker), then the simulated devices and the gateways, then permits, which name gates
that the cloud has to know. Traffic begins when the gate's gateway has the permits. Used by the demonstration and by the
tests that kill programs.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any

import httpx

from control.domain.permits import Permit
from hw_sim.cloud_client import CloudClient
from hw_sim.energy_files import EnergySite
from hw_sim.fleet import draw_fleet
from hw_sim.permit_office import PermitOffice, shorten_terms
from hw_sim.programs import Program, ProgramFailed, check_alive
from hw_sim.site_files import GATE_ID, Site, write_edge
from hw_sim.summary import events_journalled

CLOUD_START_S = 120.0
EDGE_START_S = 120.0
SNAPSHOT_WAIT_S = 15.0
_MODE = re.compile(r'island_energy_mode_info\{mode="(\w+)"\}')
_ACCOUNT = re.compile(r"first account: (\S+) / (\S+)")


class Island:
    """All programs and the clients that talk to them. Use as an async context manager: its end ends them all."""

    def __init__(self, site: Site, tell: Callable[[str], None], *, undo_s: int | None = None) -> None:
        self.site, self._tell, self._undo_s = site, tell, undo_s
        self.office: PermitOffice
        logs = site.folder / "logs"
        self.cloud = Program("cloud", "cloud_sync.server", ("--config", str(site.cloud_file)), logs / "cloud.log")
        self.sim = Program("simulated gate", "hw_sim", ("--config", str(site.sim_file)), logs / "sim.log")
        self.edge = Program("gateway", "edge", ("--config", str(site.edge_file)), logs / "edge.log")
        self.microgrid = Program(
            "simulated microgrid", "hw_sim.microgrid", ("--config", str(site.microgrid_file)), logs / "microgrid.log"
        )
        self.energy_edge = Program(
            "microgrid gateway", "edge", ("--config", str(site.energy_file)), logs / "energy.log"
        )
        self.started_at = datetime.now(UTC)
        self.http = httpx.AsyncClient(timeout=30.0)
        self.api = CloudClient(site.cloud_url)
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Island:
        await self._stack.enter_async_context(self.http)
        await self._stack.enter_async_context(self.api)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def start(self, *, seed: int, more: tuple[Permit, ...] = (), papers: bool = True) -> tuple[str, str]:
        """Start everything; gives name and password of the console's account.

        `more` are permits to apply for besides those of the fleet; without `papers` nobody has any.
        """
        self._tell("云端、数据库、消息代理 cloud, PostgreSQL and broker")
        for program in (self.cloud, self.sim):
            await self._launch(program)
        await self.cloud_answers()
        account = self._first_account()
        await self.api.sign_in(*account)
        fleet = draw_fleet(seed, self.started_at)
        self._tell("名单、登记 lists and register")
        await self.api.enter_lists(fleet)
        self._tell("模拟门岗 simulated gate")
        await self.sim.wait_until(lambda: self._answers(f"{self.site.sim_url}/state"), timeout_s=EDGE_START_S)
        self._tell("网关 gateway")
        write_edge(self.site)
        await self._launch(self.edge)
        self.office = await self._stack.enter_async_context(PermitOffice(self.site.cloud_url, account[1]))
        # Approvals go out a few seconds later; the microgrid starts meanwhile.
        await self._lanes_known()
        self._tell("申请与批准许可 permits are applied for and approved")
        await shorten_terms(self.office.approver, undo_s=self._undo_s)
        permits = (*fleet.permits, *more) if papers else ()
        await self.office.grant_all(permits, gate_id=GATE_ID)
        if self.site.energy is not None:
            self._tell("微电网与它的网关 simulated microgrid and its gateway")
            await self._start_microgrid(self.site.energy)
        await self.edge_answers()
        await self.office.published(permit.plate for permit in permits)
        await self._papers_arrived()
        return account

    async def _lanes_known(self) -> None:
        """A form names its gates: the cloud knows them once a gateway has told of its lanes."""

        async def known() -> bool:
            return len(await self.api.lanes()) >= len(self.site.lanes)

        await self.edge.wait_until(known, timeout_s=EDGE_START_S)

    async def _start_microgrid(self, energy: EnergySite) -> None:
        await self._launch(self.microgrid)
        await self.microgrid.wait_until(lambda: self._answers(f"{energy.url}/state"), timeout_s=EDGE_START_S)
        await self._launch(self.energy_edge)
        metrics = self.site.energy_metrics_url
        await self.energy_edge.wait_until(lambda: self._answers(metrics), timeout_s=EDGE_START_S)

    async def _launch(self, program: Program) -> None:
        await program.start()
        self._stack.push_async_callback(program.stop)

    async def cloud_answers(self) -> None:
        """Wait until the cloud and its database answer."""
        await self.cloud.wait_until(self.api.healthy, timeout_s=CLOUD_START_S)

    async def edge_answers(self) -> None:
        """Wait until the gateway's own page answers."""
        await self.edge.wait_until(lambda: self._answers(f"{self.site.hut_url}/"), timeout_s=EDGE_START_S)

    def _first_account(self) -> tuple[str, str]:
        """The cloud printed it once at its start."""
        found = _ACCOUNT.search(self.cloud.log_file.read_text(encoding="utf-8"))
        if found is None:
            raise ProgramFailed(f"the cloud named no account:\n{self.cloud.log_tail()}")
        return found.group(1), found.group(2)

    async def _answers(self, url: str) -> bool:
        try:
            return (await self.http.get(url)).status_code < 500
        except httpx.TransportError:
            return False

    async def _papers_arrived(self) -> None:
        """Without the cloud's word that the gateway has the permits, traffic begins after a while."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + SNAPSHOT_WAIT_S
        while loop.time() < until_s:
            if all(g["snapshot_version"] == g["snapshot_version_latest"] for g in await self.api.gateways()):
                return
            await asyncio.sleep(0.3)
        self._tell("网关还没有报告收到许可 the gateway has not reported the permits yet")

    def check_alive(self) -> None:
        """Raises ProgramFailed when one ended by itself."""
        check_alive((self.cloud, self.sim, self.edge, self.microgrid, self.energy_edge))

    async def in_step(self, wait_s: float) -> tuple[int, int]:
        """Numbers of events in all journals and in the cloud; equal unless the time ran out."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + wait_s
        while True:
            journalled = await asyncio.to_thread(lambda: sum(map(events_journalled, self.site.journal_files)))
            in_cloud = await self.api.events_applied()
            if journalled == in_cloud or loop.time() > until_s:
                return journalled, in_cloud
            await asyncio.sleep(0.1)

    async def sim_get(self, path: str) -> Any:
        """JSON from the simulated gate."""
        return (await self.http.get(f"{self.site.sim_url}{path}")).json()

    async def energy_look(self) -> tuple[dict[str, Any], str]:
        """The state of the simulated microgrid, and the mode that its gateway is in."""
        assert self.site.energy is not None, "asked only where there is a microgrid"
        state = (await self.http.get(f"{self.site.energy.url}/state")).json()
        figures = (await self.http.get(self.site.energy_metrics_url)).text
        mode = _MODE.search(figures)
        return state, mode.group(1) if mode else ""

    async def energy_truth(self) -> dict[str, Any]:
        """What the simulated microgrid counted."""
        assert self.site.energy is not None, "asked only where there is a microgrid"
        found: dict[str, Any] = (await self.http.get(f"{self.site.energy.url}/truth")).json()
        return found

    async def energy_post(self, path: str, body: dict[str, Any]) -> None:
        """JSON to the simulated microgrid."""
        assert self.site.energy is not None, "asked only where there is a microgrid"
        await self.http.post(f"{self.site.energy.url}{path}", json=body)

    async def sim_post(self, path: str, body: dict[str, Any]) -> Any:
        """JSON to the simulated gate."""
        return (await self.http.post(f"{self.site.sim_url}{path}", json=body)).json()
