"""Settings and takeovers from the cloud: only what is signed, newer and sensible, at its time, over any restart."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from cloud_sync.contract.v1 import KeyPair
from cloud_sync.contract.v1_energy_down import (
    EnergySettingsOrder,
    EnergyTakeover,
    TakeoverMode,
    seal_energy_settings,
    seal_takeover,
)
from control.domain.errors import ConfigurationError
from control.energy.settings import EnergySettings, settings_json
from edge.downlink import Downlink, SnapshotFile
from edge.energy.settings_desk import first_settings

GATEWAY = "gw-energy"


def order(bench, version: int, *, in_s: float = 0.0, gateway: str = GATEWAY, **changed) -> EnergySettingsOrder:
    now = bench.clock.now()
    return EnergySettingsOrder(
        gateway=gateway,
        version=version,
        settings=settings_json(EnergySettings()) | changed,
        effective_at=now + timedelta(seconds=in_s),
        issued_by="operator",
        issued_at=now,
        reason="typhoon",
    )


async def give(bench, given: EnergySettingsOrder, key: KeyPair | None = None) -> None:
    """As the broker would: through the downlink."""
    down = Downlink(
        gateway=GATEWAY,
        key=bench.key.public,
        file=SnapshotFile(bench.folder / "snapshot", bench.key.public),
        journal=bench.journal,
        clock=bench.clock,
    )
    down.on_energy_settings(bench.settings.take)
    await down.receive("energy", seal_energy_settings(given, key or bench.key))


async def answers(bench) -> list[tuple[int, str]]:
    return [(row["version"], row["outcome"]) for row in await bench.told("energy_settings_taken")]


async def test_a_newer_version_is_used_at_once_and_told(open_bench) -> None:
    async with open_bench() as bench:
        await give(bench, order(bench, 3, reserve_frac=0.4))
        assert bench.settings.current.settings.reserve_frac == 0.4
        await bench.run(1)
        assert bench.cycle.published.second.settings_version == 3
        assert await answers(bench) == [(3, "used")]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"reserve_frac": 2.0}, "reserve_frac is 2"),
        ({"import_max_kw": float("1e9")}, "import_max_kw"),
        ({"colour": 1}, "colour is no setting"),
        ({"tariff": []}, "tariff must be"),
        ({"day_ahead": [{"day": "2026-11-22"}]}, "day_ahead[0] needs"),
        ({"import_target_kw": 9000, "import_max_kw": 100}, "import_target_kw is above import_max_kw"),
    ],
)
async def test_nonsense_is_refused_with_the_key_named_and_nothing_changes(open_bench, changed, words) -> None:
    async with open_bench() as bench:
        await give(bench, order(bench, 2, reserve_frac=0.3))
        await give(bench, order(bench, 5, **changed))
        await give(bench, order(bench, 5, **changed))
        assert bench.settings.current.number == 2
        used, refused = await bench.told("energy_settings_taken")
        assert (used["outcome"], refused["outcome"]) == ("used", "refused")
        assert words in refused["detail"]
        await bench.run(2)
        assert [row["code"] for row in await bench.told("energy_alarm_raised")] == ["settings_refused"]
        await give(bench, order(bench, 6))
        await bench.run(2)
        assert len(await bench.told("energy_alarm_cleared")) == 1


async def test_what_is_not_signed_or_not_for_us_or_older_is_not_taken(open_bench) -> None:
    async with open_bench() as bench:
        await give(bench, order(bench, 4))
        await give(bench, order(bench, 9, reserve_frac=0.5), key=KeyPair.generate())
        await give(bench, order(bench, 9, gateway="another", reserve_frac=0.5))
        await give(bench, order(bench, 4, reserve_frac=0.5))
        await give(bench, order(bench, 3, reserve_frac=0.5))
        assert bench.settings.current.settings == EnergySettings()
        assert await answers(bench) == [(4, "used"), (3, "refused")]


async def test_a_scheduled_version_waits_survives_a_restart_and_comes_into_force(open_bench) -> None:
    async with open_bench() as bench:
        await give(bench, order(bench, 1, reserve_frac=0.2))
        await give(bench, order(bench, 2, in_s=30, reserve_frac=0.5))
        await bench.run(10)
        assert bench.settings.current.number == 1
    async with open_bench() as bench:
        assert bench.settings.current.number == 1
        await bench.run(10)
        assert bench.settings.current.settings.reserve_frac == 0.2
        await bench.run(15)
        assert bench.settings.current.settings.reserve_frac == 0.5
        assert await answers(bench) == [(1, "used"), (2, "waiting"), (2, "used")]
    async with open_bench() as bench:
        assert bench.settings.current.number == 2
        assert bench.settings.waiting is None


async def test_a_newer_one_takes_the_place_of_one_that_waits(open_bench) -> None:
    async with open_bench() as bench:
        await give(bench, order(bench, 2, in_s=30, reserve_frac=0.5))
        await give(bench, order(bench, 3, reserve_frac=0.25))
        await bench.run(60)
        assert bench.settings.current.number == 3
        assert bench.settings.waiting is None


async def test_a_leap_of_the_clock_alone_brings_nothing_into_force(open_bench) -> None:
    async with open_bench() as bench:
        await bench.run(2)
        await give(bench, order(bench, 2, in_s=3600))
        await bench.run(2)
        bench.clock.leap_s = 7200
        await bench.run(30)
        assert bench.settings.current.number == 0, "a wrong clock for half a minute"
        bench.clock.leap_s = 0
        await bench.run(90)
        assert bench.settings.current.number == 0
        bench.clock.leap_s = 7200
        await bench.run(70)
        assert bench.settings.current.number == 2, "the clock stands by it: it was put right"
        bench.clock.leap_s = 0
        await bench.run(70)
        assert bench.settings.current.number == 2, "what took effect stays"


async def test_an_altered_file_is_not_believed(open_bench, tmp_path) -> None:
    async with open_bench() as bench:
        await give(bench, order(bench, 7, reserve_frac=0.5))
    path = tmp_path / "energy-settings.signed"
    path.write_bytes(path.read_bytes()[:-3] + b"abc")
    async with open_bench() as bench:
        assert bench.settings.current.number == 0


async def test_a_broken_journal_is_told_later(open_bench) -> None:
    async with open_bench() as bench:
        bench.journal.refuses = True
        await give(bench, order(bench, 7, reserve_frac=0.5))
        assert bench.settings.current.number == 7
        bench.journal.refuses = False
        await bench.run(1)
        assert await answers(bench) == [(7, "used")]


def test_first_settings_come_from_a_file_or_are_built_in(tmp_path) -> None:
    assert first_settings(None) == EnergySettings()
    path = tmp_path / "settings.json"
    path.write_text(json.dumps(settings_json(EnergySettings(reserve_frac=0.3))))
    assert first_settings(path).reserve_frac == 0.3
    path.write_text("{}")
    with pytest.raises(ConfigurationError, match=r"settings\.json: energy\.settings_file cannot be used"):
        first_settings(path)


# --------------------------------------------------------------------------------------------------------- takeovers


def takeover(bench, mode: TakeoverMode, *, kw: float | None = None, for_s: float = 60.0, id_: str = "c1"):
    now = bench.clock.now()
    return EnergyTakeover(
        command_id=id_,
        gateway=GATEWAY,
        mode=mode,
        storage_kw=kw,
        issued_by="operator",
        issued_at=now,
        expires_at=now + timedelta(seconds=for_s),
    )


async def take(bench, given: EnergyTakeover) -> tuple[str, str]:
    return await bench.takeover.take(given, seal_takeover(given, bench.key))


def wished(bench) -> tuple[bool, float | None]:
    picture = bench.cycle.published.picture
    return picture.hold_wanted, picture.storage_wanted_kw


async def test_a_takeover_holds_over_a_restart_and_ends_by_itself(open_bench) -> None:
    async with open_bench() as bench:
        assert await take(bench, takeover(bench, TakeoverMode.STORAGE, kw=-150.0)) == ("done", "storage")
        await bench.run(20)
        assert wished(bench) == (False, -150.0)
    async with open_bench() as bench:
        await bench.run(20)
        assert wished(bench) == (False, -150.0)
        await bench.run(25)
        assert wished(bench) == (False, None)
    async with open_bench() as bench:
        await bench.run(1)
        assert wished(bench) == (False, None)


async def test_a_clock_set_back_does_not_prolong_a_takeover(open_bench) -> None:
    async with open_bench() as bench:
        await take(bench, takeover(bench, TakeoverMode.HOLD))
        await bench.run(10)
        assert wished(bench) == (True, None)
        bench.clock.leap_s = -3600
        await bench.run(45)
        assert wished(bench) == (True, None)
        await bench.run(10)
        assert wished(bench) == (False, None)


async def test_automatic_ends_it_and_what_is_late_does_nothing(open_bench) -> None:
    async with open_bench() as bench:
        await take(bench, takeover(bench, TakeoverMode.HOLD))
        await take(bench, takeover(bench, TakeoverMode.AUTO))
        await bench.run(1)
        assert wished(bench) == (False, None)
        late = replace(takeover(bench, TakeoverMode.HOLD), expires_at=bench.clock.now())
        assert await take(bench, late) == ("expired", "")
        await bench.run(1)
        assert wished(bench) == (False, None)


async def test_a_takeover_comes_down_once_and_only_where_there_is_a_microgrid(open_bench) -> None:
    async with open_bench() as bench:
        file = SnapshotFile(bench.folder / "snapshot", bench.key.public)
        given = {"gateway": GATEWAY, "key": bench.key.public, "file": file}
        down = Downlink(journal=bench.journal, clock=bench.clock, **given)
        payload = seal_takeover(takeover(bench, TakeoverMode.HOLD), bench.key)
        await down.receive("takeover", payload)
        assert [row["outcome"] for row in await bench.told("command_result")] == ["refused"]
        down.on_energy_settings(bench.settings.take)
        second = takeover(bench, TakeoverMode.HOLD, id_="c2")
        for _ in range(2):
            await down.receive("takeover", seal_takeover(second, bench.key))
        found, raw = await down.next_takeover()
        assert found == second
        assert raw == seal_takeover(second, bench.key)
        assert down._takeovers.empty()
