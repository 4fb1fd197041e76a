"""A gateway with a microgrid alone: it loads nothing that reads pictures, says how it is, and lets go of everything."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

from cloud_sync.server.broker import free_port

ROOT = Path(__file__).resolve().parents[3]
SITE = """
[gateway]
id = "gw-e"
name = "Energy"
data_dir = "data"
metrics_port = {port}
[energy]
[energy.grid]
import_max_kw = 100
export_max_kw = 50
[energy.meter]
host = "127.0.0.1"
port = {silent}
[[energy.storage]]
id = "b1"
host = "127.0.0.1"
port = {silent}
capacity_kwh = 100
charge_max_kw = 50
discharge_max_kw = 50
"""
SCRIPT = """
import asyncio, json, sys, urllib.request
from pathlib import Path
from edge.build import built
from edge.config import load

async def main():
    config = load(Path(sys.argv[1]), {})
    async with built(config) as gateway:
        running = asyncio.create_task(gateway.run())
        while gateway.parts.energy.cycle.pace.cycles < 4:
            await asyncio.sleep(0.1)
        url = f"http://127.0.0.1:{config.gateway.metrics_port}"
        def ask(path):
            with urllib.request.urlopen(url + path, timeout=60) as answer:
                return answer.read().decode()
        metrics = await asyncio.to_thread(ask, "/metrics")
        try:
            await asyncio.to_thread(ask, "/other")
            other = 200
        except urllib.error.HTTPError as error:
            other = error.code
        health = gateway.health().energy
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        heavy = ("cv2", "onnxruntime", "vision", "pvlib", "pandas", "fastapi")
        loaded = [name for name in heavy if name in sys.modules]
        print(json.dumps({"loaded": loaded, "health": health, "metrics": metrics, "other": other}))

asyncio.run(main())
"""


async def test_a_microgrid_alone_loads_no_reader_and_says_how_it_is(tmp_path: Path) -> None:
    path = tmp_path / "site.toml"
    path.write_text(SITE.format(port=free_port("127.0.0.1"), silent=free_port("127.0.0.1")))
    arguments = [sys.executable, "-c", SCRIPT, str(path)]
    given = {"cwd": ROOT, "capture_output": True, "text": True, "timeout": 120}
    ended = await asyncio.to_thread(subprocess.run, arguments, check=False, **given)
    assert ended.returncode == 0, ended.stderr[-2000:]
    told = json.loads(ended.stdout.splitlines()[-1])
    assert told["loaded"] == []
    assert told["other"] == 404
    health = told["health"]
    assert health["mode"] == "hold"
    assert {line["id"]: line["state"] for line in health["devices"]} == {"meter": "lost", "b1": "lost"}
    assert 'island_energy_mode_info{mode="hold"} 1.0' in told["metrics"]
    assert 'island_energy_device_up{device="b1"} 0.0' in told["metrics"]
