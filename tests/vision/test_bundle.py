"""A model update: signed, whole, bounded, and never a path out of its folder."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from vision import bundle
from vision.bundle import BundleError, Manifest, Member, pack, read_manifest, unpack

MADE_AT = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)


class Key:
    """Both halves."""

    def __init__(self, seed: int) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message)

    def verifies(self, signature: bytes, message: bytes) -> bool:
        try:
            self._key.public_key().verify(signature, message)
        except InvalidSignature:
            return False
        return True


OURS, THEIRS = Key(1), Key(2)


@pytest.fixture
def parts(tmp_path: Path) -> tuple[Path, Path]:
    models, golden = tmp_path / "models", tmp_path / "golden"
    models.mkdir()
    golden.mkdir()
    (models / "models.toml").write_text("# rows\n")
    (models / "a.onnx").write_bytes(bytes(range(256)) * 40)
    (models / ".hidden").write_text("left out")
    (golden / "01.png").write_bytes(b"picture")
    (golden / "expected.jsonl").write_text("{}\n")
    return models, golden


@pytest.fixture
def update(parts: tuple[Path, Path], tmp_path: Path) -> Path:
    out = tmp_path / "a.islandmodels"
    pack(*parts, out, version="v2", made_at=MADE_AT, key=OURS)
    return out


def rewritten(update: Path, change: Callable[[dict[str, bytes]], None], *, compressed: bool = False) -> Path:
    """The update with other members, its manifest and signature as `change` leaves them."""
    with zipfile.ZipFile(update) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    target = update.with_name("changed.islandmodels")
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return target


def signed(members: dict[str, bytes], **fields: object) -> None:
    """The manifest with other fields, signed again with the right key."""
    body = json.dumps(json.loads(members["manifest.json"]) | fields).encode()
    members["manifest.json"] = body
    members["signature"] = OURS.sign(b"island/v1/models\0" + body)


def test_what_is_packed_is_unpacked(update: Path, parts: tuple[Path, Path], tmp_path: Path) -> None:
    into = tmp_path / "v2"
    manifest = unpack(update, OURS, into)
    assert (manifest.version, manifest.made_at) == ("v2", MADE_AT)
    assert manifest == read_manifest(update, OURS)
    found = sorted(str(path.relative_to(into)) for path in into.rglob("*") if path.is_file())
    assert found == [
        "golden/01.png",
        "golden/expected.jsonl",
        "manifest.json",
        "models/a.onnx",
        "models/models.toml",
    ]
    assert (into / "models" / "a.onnx").read_bytes() == (parts[0] / "a.onnx").read_bytes()


def test_the_same_contents_give_the_same_manifest(parts: tuple[Path, Path], tmp_path: Path) -> None:
    one = pack(*parts, tmp_path / "1.islandmodels", version="v", made_at=MADE_AT, key=OURS)
    two = pack(*parts, tmp_path / "2.islandmodels", version="v", made_at=MADE_AT, key=OURS)
    assert one.as_bytes() == two.as_bytes()


def test_another_key_is_not_believed(update: Path, tmp_path: Path) -> None:
    for act in (lambda: read_manifest(update, THEIRS), lambda: unpack(update, THEIRS, tmp_path / "v")):
        with pytest.raises(BundleError, match="signature does not hold"):
            act()
    assert not (tmp_path / "v").exists()


def test_a_signature_of_another_kind_is_not_believed(update: Path) -> None:
    def change(members: dict[str, bytes]) -> None:
        members["signature"] = OURS.sign(b"island/v1/snapshot\0" + members["manifest.json"])

    with pytest.raises(BundleError, match="signature does not hold"):
        read_manifest(rewritten(update, change), OURS)


CHANGES: list[tuple[str, Callable[[dict[str, bytes]], object], str]] = [
    ("a model", lambda m: m.update({"models/a.onnx": b"x" * 10240}), "not the file"),
    ("a shorter model", lambda m: m.update({"models/a.onnx": b"x"}), "not the file"),
    ("a longer model", lambda m: m.update({"models/a.onnx": m["models/a.onnx"] + b"x"}), "not the file"),
    ("the manifest", lambda m: m.update({"manifest.json": m["manifest.json"] + b" "}), "signature does not hold"),
    ("no signature", lambda m: m.pop("signature"), "cannot be read as a model update"),
    ("a short signature", lambda m: m.update({"signature": b"x"}), "signature does not hold"),
    ("no manifest", lambda m: m.pop("manifest.json"), "cannot be read as a model update"),
    ("a file missing", lambda m: m.pop("golden/01.png"), "exactly the files"),
    ("a file besides", lambda m: m.update({"models/evil.so": b"x"}), "exactly the files"),
    ("a path upwards besides", lambda m: m.update({"../evil": b"x"}), "exactly the files"),
    ("another format", lambda m: signed(m, schema=2), "format 2"),
    ("a version that is a path", lambda m: signed(m, version="../../etc"), "no fit version"),
    ("no time zone", lambda m: signed(m, made_at="2026-11-21T08:30:00"), "no fit version or time"),
    ("no files", lambda m: signed(m, files=[]), "models.toml"),
    ("a row that is none", lambda m: signed(m, files=["x"]), "not understood"),
    (
        "a signed path upwards",
        lambda m: signed(m, files=[{"name": "models/../../evil", "bytes": 1, "sha256": "0"}]),
        "no fit name",
    ),
    ("a signed giant", lambda m: signed(m, files=[{"name": "models/a", "bytes": 2**40, "sha256": "0"}]), "at most"),
]


@pytest.mark.parametrize(("change", "words"), [row[1:] for row in CHANGES], ids=[row[0] for row in CHANGES])
def test_what_was_changed_is_refused_and_leaves_nothing_outside(
    update: Path, tmp_path: Path, change: Callable[[dict[str, bytes]], object], words: str
) -> None:
    with pytest.raises(BundleError, match=words):
        unpack(rewritten(update, lambda members: change(members) and None), OURS, tmp_path / "in" / "v")
    assert not (tmp_path / "evil").exists()
    assert not (tmp_path / "in" / "evil").exists()


def test_a_file_that_grows_when_unpacked_is_refused(update: Path, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="compressed"):
        unpack(rewritten(update, lambda _: None, compressed=True), OURS, tmp_path / "v")


@pytest.mark.parametrize("cut", [0, 1, 100, 5000])
def test_a_file_that_was_cut_short_is_refused(update: Path, tmp_path: Path, cut: int) -> None:
    short = tmp_path / "short.islandmodels"
    short.write_bytes(update.read_bytes()[:cut])
    with pytest.raises(BundleError, match="cannot be read as a model update"):
        unpack(short, OURS, tmp_path / "v")


def test_garbled_bytes_give_no_other_error(update: Path, tmp_path: Path) -> None:
    data = update.read_bytes()
    for number, at in enumerate(range(0, len(data), 97)):
        garbled = tmp_path / "garbled.islandmodels"
        garbled.write_bytes(data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :])
        into = tmp_path / f"v{number}"
        try:
            unpack(garbled, OURS, into)
        except BundleError:
            continue
        # Bytes that mean nothing to a zip may change; what is unpacked is what was signed.
        assert (into / "models" / "a.onnx").read_bytes() == bytes(range(256)) * 40


def test_what_cannot_be_packed_is_said(parts: tuple[Path, Path], tmp_path: Path) -> None:
    out = tmp_path / "a.islandmodels"
    with pytest.raises(BundleError, match="version"):
        pack(*parts, out, version="a/b", made_at=MADE_AT, key=OURS)
    (parts[1] / "bad name.png").write_bytes(b"x")
    with pytest.raises(BundleError, match="bad name"):
        pack(*parts, out, version="v", made_at=MADE_AT, key=OURS)
    assert not out.exists()


def test_the_limit_on_the_number_of_files_counts(monkeypatch: pytest.MonkeyPatch, update: Path) -> None:
    monkeypatch.setattr(bundle, "MEMBERS_MAX", 3)
    with pytest.raises(BundleError, match="3 files at most"):
        read_manifest(update, OURS)


def test_a_manifest_s_bytes_do_not_depend_on_the_time_zone() -> None:
    members = (Member("models/models.toml", 1, "00"),)
    here = MADE_AT.astimezone()
    assert Manifest("v", here, members).as_bytes() == Manifest("v", MADE_AT, members).as_bytes()
