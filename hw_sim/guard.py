"""The scripted guard of the demonstration: owns what it does with held vehicles, through the hut's own page."""

from __future__ import annotations

import httpx

from hw_sim.site_files import Site


class ScriptedGuard:
    """Decides a held vehicle after a few seconds, so that the lanes do not block."""

    def __init__(self, site: Site, http: httpx.AsyncClient) -> None:
        self._site, self._http = site, http

    async def look(self) -> None:
        """See who waits, and decide those that have waited long enough."""
