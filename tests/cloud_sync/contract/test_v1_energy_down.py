"""What goes down to the microgrid: opens as it was sealed, follows the schema, and nonsense is a contract error."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from cloud_sync.contract import signed, v1, v1_energy_down
from cloud_sync.contract.frame import pack
from cloud_sync.contract.v1 import EnergySettingsOrder, EnergyTakeover, KeyPair, TakeoverMode
from control.domain.errors import ContractError
from control.energy.settings import EnergySettings, read_settings, settings_json

AT = datetime(2026, 11, 21, 2, 42, 31, tzinfo=UTC)
GOLDEN = Path(__file__).parent / "golden"
# A fixed key: golden bytes are signed, and an Ed25519 signature is a function of key and message alone.
KEY = KeyPair(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
SCHEMA = json.loads((Path(v1.__file__).parent / "v1.schema.json").read_text(encoding="utf-8"))

ORDER = EnergySettingsOrder(
    gateway="gw-grid",
    version=7,
    settings={"import_max_kw": 6000.0, "carbon_source": "海南 2022", "tariff": []},
    effective_at=AT + timedelta(hours=6),
    issued_by="li",
    issued_at=AT,
    reason="台风前多留备用",
)
TAKEOVER = EnergyTakeover(
    command_id="t-1",
    gateway="gw-grid",
    mode=TakeoverMode.STORAGE,
    storage_kw=-800.0,
    issued_by="li",
    issued_at=AT,
    expires_at=AT + timedelta(minutes=30),
    note="maintenance",
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


def sealed_nonsense(kind: str, value: dict[str, Any]) -> bytes:
    body = json.dumps(value).encode()
    return pack([1, "signed", kind, KEY.public.key_id, body, KEY.sign(signed.preimage(kind, body))])


def test_settings_open_as_they_were_sealed_and_follow_the_schema() -> None:
    assert v1.open_energy_settings(v1.seal_energy_settings(ORDER, KEY), KEY.public) == ORDER
    body = v1_energy_down.energy_settings_json(ORDER)
    jsonschema.validate(body, {"$ref": "#/$defs/energy_body", "$defs": SCHEMA["$defs"]})


def test_every_setting_survives_the_way_down() -> None:
    order = EnergySettingsOrder("gw-grid", 1, settings_json(EnergySettings()), AT, "li", AT, "")
    opened = v1.open_energy_settings(v1.seal_energy_settings(order, KEY), KEY.public)
    assert read_settings(opened.settings) == EnergySettings()


@pytest.mark.parametrize(
    "takeover",
    [TAKEOVER, EnergyTakeover("t-2", "gw-grid", TakeoverMode.AUTO, None, "li", AT, AT + timedelta(minutes=1))],
)
def test_a_takeover_opens_as_it_was_sealed_and_follows_the_schema(takeover: EnergyTakeover) -> None:
    assert v1.open_takeover(v1.seal_takeover(takeover, KEY), KEY.public) == takeover
    body = v1_energy_down.takeover_json(takeover)
    jsonschema.validate(body, {"$ref": "#/$defs/takeover_body", "$defs": SCHEMA["$defs"]})


def test_bytes_of_version_1_stay_readable() -> None:
    assert v1.open_energy_settings((GOLDEN / "v1_energy.bin").read_bytes(), KEY.public) == ORDER
    assert v1.open_takeover((GOLDEN / "v1_takeover.bin").read_bytes(), KEY.public) == TAKEOVER
    assert v1.seal_energy_settings(ORDER, KEY) == (GOLDEN / "v1_energy.bin").read_bytes()
    assert v1.seal_takeover(TAKEOVER, KEY) == (GOLDEN / "v1_takeover.bin").read_bytes()


@pytest.mark.parametrize(
    ("mode", "storage_kw"),
    [("storage", None), ("storage", True), ("storage", float("nan")), ("hold", 5.0), ("auto", 0.0), ("full", None)],
)
def test_a_takeover_that_contradicts_itself_is_refused(mode: str, storage_kw: Any) -> None:
    body = v1_energy_down.takeover_json(TAKEOVER) | {"mode": mode, "storage_kw": storage_kw}
    with pytest.raises(ContractError):
        v1.open_takeover(sealed_nonsense("takeover", body), KEY.public)


@pytest.mark.parametrize("version", [0, -1, 1.0, True, "7", None, 2**63])
def test_a_version_is_a_positive_integer(version: Any) -> None:
    body = v1_energy_down.energy_settings_json(ORDER) | {"version": version}
    with pytest.raises(ContractError):
        v1.open_energy_settings(sealed_nonsense("energy", body), KEY.public)


def test_one_kind_is_not_the_other() -> None:
    with pytest.raises(ContractError, match="no signed energy"):
        v1.open_energy_settings(v1.seal_takeover(TAKEOVER, KEY), KEY.public)
    with pytest.raises(ContractError, match="no signed takeover"):
        v1.open_takeover(v1.seal_energy_settings(ORDER, KEY), KEY.public)


@given(st.sampled_from(list(v1_energy_down.energy_settings_json(ORDER))), values)
def test_well_signed_nonsense_for_settings_raises_contract_errors_alone(field: str, value: Any) -> None:
    body = {**v1_energy_down.energy_settings_json(ORDER), field: value}
    try:
        opened = v1.open_energy_settings(sealed_nonsense("energy", body), KEY.public)
    except ContractError:
        return
    assert isinstance(opened.settings, dict)


@given(st.sampled_from(list(v1_energy_down.takeover_json(TAKEOVER))), values)
def test_a_well_signed_nonsense_takeover_raises_contract_errors_alone(field: str, value: Any) -> None:
    body = {**v1_energy_down.takeover_json(TAKEOVER), field: value}
    try:
        opened = v1.open_takeover(sealed_nonsense("takeover", body), KEY.public)
    except ContractError:
        return
    assert opened.storage_kw is not None


@given(st.binary(max_size=100))
def test_garbage_raises_contract_errors_alone(garbage: bytes) -> None:
    for opened in (v1.open_energy_settings, v1.open_takeover):
        with pytest.raises(ContractError):
            opened(garbage, KEY.public)
