"""A model update as one file: owns its format, its signature and its limits.

A `*.islandmodels` file is a zip without compression: `manifest.json`, `signature`, `models/…` and `golden/…`. The
Ed25519 signature covers the manifest with a preimage of its own, and the manifest gives size and SHA-256 of every
other member, so that nothing is believed, parsed or written before the signature holds. Whether the models in it are
any good is `vision.golden`'s.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from control.domain.errors import IslandError

SUFFIX = ".islandmodels"
SCHEMA = 1
MANIFEST, SIGNATURE = "manifest.json", "signature"
MODELS, GOLDEN = "models", "golden"
SIGNATURE_BYTES = 64
MANIFEST_BYTES_MAX = 1_000_000
MEMBERS_MAX = 500
TOTAL_BYTES_MAX = 512 * 1024 * 1024
_PREIMAGE = b"island/v1/models\0"
_CHUNK_BYTES = 1 << 20
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_MEMBER = re.compile(rf"(?:{MODELS}|{GOLDEN})/[A-Za-z0-9_][A-Za-z0-9._-]{{0,79}}")
# What a damaged or hostile zip makes the standard library raise.
_ZIP_ERRORS = (zipfile.BadZipFile, zipfile.LargeZipFile, OSError, EOFError, RuntimeError, ValueError, KeyError)


class BundleError(IslandError):
    """The file is no model update, is damaged, too large, or not signed by a key that we trust."""


class Signer(Protocol):
    """The half of a key that signs."""

    def sign(self, message: bytes) -> bytes:
        """64 bytes."""
        ...


class Verifier(Protocol):
    """The half of a key that gateways hold."""

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Whether the signature is the other half's."""
        ...


@dataclass(frozen=True, slots=True)
class Member:
    """One file of the update."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is signed. `made_at` orders updates: an older one is refused where a newer one was installed."""

    version: str
    made_at: datetime
    members: tuple[Member, ...]

    def as_bytes(self) -> bytes:
        """Canonical: the same manifest always gives the same bytes."""
        value = {
            "schema": SCHEMA,
            "version": self.version,
            "made_at": self.made_at.astimezone(UTC).isoformat(timespec="seconds"),
            "files": [{"name": m.name, "bytes": m.size, "sha256": m.sha256} for m in self.members],
        }
        return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


# ---------------------------------------------------------------------------------------------------------- packing


def pack(models_dir: Path, golden_dir: Path, out: Path, *, version: str, made_at: datetime, key: Signer) -> Manifest:
    """Write one signed update; raises BundleError when a file has no fit name or all together are too large."""
    if not _VERSION.fullmatch(version):
        raise BundleError(f"The version {version!r} must be letters, digits, dots and hyphens, 64 at most.")
    paths = {f"{MODELS}/{path.name}": path for path in _files_of(models_dir)}
    paths |= {f"{GOLDEN}/{path.name}": path for path in _files_of(golden_dir)}
    members = tuple(Member(name, paths[name].stat().st_size, _sha256(paths[name])) for name in sorted(paths))
    _check_members(members)
    manifest = Manifest(version, made_at, members)
    body = manifest.as_bytes()
    fresh = out.with_name(f".{out.name}.new")
    with zipfile.ZipFile(fresh, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(MANIFEST, body)
        archive.writestr(SIGNATURE, key.sign(_PREIMAGE + body))
        for member in members:
            archive.write(paths[member.name], member.name)
    fresh.replace(out)
    return manifest


def _files_of(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.is_file() and not path.name.startswith("."):
            yield path


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# -------------------------------------------------------------------------------------------------------- unpacking


def read_manifest(bundle: Path, key: Verifier) -> Manifest:
    """What the update says it is, once its signature holds; raises BundleError."""
    try:
        with zipfile.ZipFile(bundle) as archive:
            return _verified(archive, key)
    except _ZIP_ERRORS as error:
        raise _damaged(bundle, error) from error


def unpack(bundle: Path, key: Verifier, into: Path) -> Manifest:
    """Verify the update and write its members below `into`, a folder that does not exist yet; raises BundleError."""
    try:
        with zipfile.ZipFile(bundle) as archive:
            manifest = _verified(archive, key)
            for folder in (into, into / MODELS, into / GOLDEN):
                folder.mkdir(parents=True)
            for member in manifest.members:
                _extract(archive, member, into / member.name)
            (into / MANIFEST).write_bytes(manifest.as_bytes())
    except _ZIP_ERRORS as error:
        raise _damaged(bundle, error) from error
    return manifest


def _damaged(bundle: Path, error: Exception) -> BundleError:
    return BundleError(f"{bundle.name} cannot be read as a model update: {error or type(error).__name__}")


def _verified(archive: zipfile.ZipFile, key: Verifier) -> Manifest:
    body = _member_bytes(archive, MANIFEST, MANIFEST_BYTES_MAX)
    signature = _member_bytes(archive, SIGNATURE, SIGNATURE_BYTES)
    if len(signature) != SIGNATURE_BYTES or not key.verifies(signature, _PREIMAGE + body):
        raise BundleError(
            "The signature does not hold: the update was changed, or signed with another key than this gateway trusts."
        )
    manifest = _parsed(body)
    names = archive.namelist()
    if sorted(names) != sorted([MANIFEST, SIGNATURE, *(member.name for member in manifest.members)]):
        raise BundleError("The archive does not hold exactly the files that its manifest names.")
    return manifest


def _member_bytes(archive: zipfile.ZipFile, name: str, size_max: int) -> bytes:
    info = archive.getinfo(name)
    _check_stored(info)
    if info.file_size > size_max:
        raise BundleError(f"{name} in the archive is too large.")
    with archive.open(info) as file:
        return file.read(size_max)


def _check_stored(info: zipfile.ZipInfo) -> None:
    """Nothing that grows when it is unpacked."""
    if info.compress_type != zipfile.ZIP_STORED:
        raise BundleError(f"{info.filename} in the archive is compressed; an update is not.")


def _parsed(body: bytes) -> Manifest:
    try:
        value: dict[str, Any] = json.loads(body)
        if value["schema"] != SCHEMA:
            raise BundleError(f"The update has format {value['schema']!r}; this program knows {SCHEMA}.")
        members = tuple(Member(str(f["name"]), int(f["bytes"]), str(f["sha256"])) for f in value["files"])
        manifest = Manifest(str(value["version"]), datetime.fromisoformat(value["made_at"]), members)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise BundleError(f"The manifest has a field that is not understood: {error!r}") from error
    if not _VERSION.fullmatch(manifest.version) or manifest.made_at.tzinfo is None:
        raise BundleError("The manifest has no fit version or time.")
    _check_members(members)
    return manifest


def _check_members(members: tuple[Member, ...]) -> None:
    for member in members:
        if not _MEMBER.fullmatch(member.name):
            raise BundleError(f"{member.name!r} is no fit name for a file of an update.")
    if len({member.name for member in members}) != len(members) or len(members) > MEMBERS_MAX:
        raise BundleError(f"An update holds {MEMBERS_MAX} files at most, each once.")
    if any(member.size < 0 for member in members) or sum(member.size for member in members) > TOTAL_BYTES_MAX:
        raise BundleError(f"An update holds {TOTAL_BYTES_MAX // 1024**2} MiB at most.")
    if f"{MODELS}/models.toml" not in {member.name for member in members}:
        raise BundleError(f"There is no {MODELS}/models.toml in it.")


def _extract(archive: zipfile.ZipFile, member: Member, target: Path) -> None:
    info = archive.getinfo(member.name)
    _check_stored(info)
    digest, left = hashlib.sha256(), member.size
    with archive.open(info) as source, target.open("xb") as file:
        while chunk := source.read(min(_CHUNK_BYTES, left + 1)):
            left -= len(chunk)
            if left < 0:
                break
            digest.update(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    if left != 0 or digest.hexdigest() != member.sha256:
        raise BundleError(f"{member.name} is not the file that the manifest names.")
