"""`./island vision pack`, `install`, `models` and `key`: owns their arguments and what they say."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from cloud_sync.contract.v1 import KeyPair
from control.domain.errors import ContractError, IslandError
from edge.config import SiteConfig, load
from edge.model_install import install as install_update
from edge.model_install import tried
from edge.model_setup import reader_settings, shelf_of, update_terms
from edge.model_shelf import ModelShelf, shown
from edge.reader_process import ReaderSettings
from vision import bundle, golden
from vision.runtime import MODELS_DIR

OK, FAILED = 0, 1


def pack(arguments: list[str]) -> int:
    """Make one signed update; the models have to read their golden pictures first."""
    parser = argparse.ArgumentParser(
        prog="island vision pack",
        description="Make a signed model update. 打包并签名模型更新。",
        epilog="The golden folder holds pictures and expected.jsonl, one line a picture as `island read --json` writes "
        "them, corrected by eye; without --golden a rendered set is packed.",
    )
    parser.add_argument("--models", type=Path, default=MODELS_DIR, metavar="DIR", help="models.toml and its networks")
    parser.add_argument("--golden", type=Path, metavar="DIR", help="golden pictures and expected.jsonl")
    parser.add_argument("--key", type=Path, required=True, metavar="PEM", help="private Ed25519 key; see `vision key`")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help=f"the update, *{bundle.SUFFIX}")
    parser.add_argument("--version", metavar="NAME", help="default: the time, as 2026-11-21T083000Z")
    return _obeyed("pack", _pack, parser.parse_args(arguments))


def _pack(options: argparse.Namespace) -> int:
    if options.out.suffix != bundle.SUFFIX:
        raise bundle.BundleError(f"{options.out} must end in {bundle.SUFFIX}: gateways look for that.")
    key, now = _private_key(options.key), datetime.now(UTC)
    with tempfile.TemporaryDirectory() as place:
        golden_dir = options.golden
        if golden_dir is None:
            golden_dir = Path(place)
            golden.render_golden(golden_dir)
        trial = tried(options.models, golden_dir, ReaderSettings())
        for line in trial.wrong:
            print(f"  {line}", file=sys.stderr)
        if trial.wrong:
            raise bundle.BundleError("The models do not read their own golden pictures as expected; nothing is packed.")
        version = options.version or now.strftime("%Y-%m-%dT%H%M%SZ")
        manifest = bundle.pack(options.models, golden_dir, options.out, version=version, made_at=now, key=key)
    size_mb = options.out.stat().st_size / 1e6
    print(f"{options.out}: version {manifest.version}, {trial.pictures} golden pictures, {size_mb:.1f} MB, signed")
    return OK


def _private_key(path: Path) -> KeyPair:
    try:
        return KeyPair.from_pem(path.read_bytes())
    except OSError as error:
        raise bundle.BundleError(f"{path} cannot be read: {error.strerror}. Make a key with `vision key`.") from error
    except ContractError as error:
        raise bundle.BundleError(f"{path}: {error}") from error


def key(arguments: list[str]) -> int:
    """Make a pair of keys for model updates."""
    parser = argparse.ArgumentParser(
        prog="island vision key", description="Make a key pair for updates. 生成更新密钥。"
    )
    parser.add_argument("out", type=Path, metavar="PEM", help="the private key; the public one goes to PEM.pub")
    return _obeyed("key", _key, parser.parse_args(arguments))


def _key(options: argparse.Namespace) -> int:
    pair = KeyPair.generate()
    public = options.out.with_name(options.out.name + ".pub")
    try:
        with os.fdopen(os.open(options.out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(pair.pem())
        public.write_text(pair.public.text() + "\n", encoding="utf-8")
    except OSError as error:
        raise bundle.BundleError(f"{error.filename} cannot be written: {error.strerror}.") from error
    print(f"{options.out}: keep it off the gateways\n{public}: name it as vision.update_key_file in site.toml")
    return OK


def install(arguments: list[str]) -> int:
    """Try one update and switch to it; a gateway that runs takes it over within seconds."""
    parser = argparse.ArgumentParser(
        prog="island vision install", description="Install a signed model update on this gateway. 安装模型更新。"
    )
    parser.add_argument("file", type=Path, metavar="FILE", help=f"the update, *{bundle.SUFFIX}")
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="the gateway's site.toml")
    parser.add_argument("--older", action="store_true", help="allow an update older than one that was installed")
    return _obeyed("install", _install, parser.parse_args(arguments))


def _install(options: argparse.Namespace) -> int:
    config, shelf = _site(options.config)
    terms = update_terms(config)
    if terms is None:
        raise bundle.BundleError(
            f"{options.config}: vision.update_key_file is missing, and cloud.public_key_file too; "
            "without a key no update can be believed."
        )
    version = install_update(
        options.file,
        shelf,
        terms,
        reader_settings(config.vision),
        now=datetime.now(UTC),
        older=options.older,
        say=lambda text: print(text, file=sys.stderr),
    )
    print(f"Version {version} is in use; a running gateway takes it over within seconds. Back: `vision models --back`")
    return OK


def models(arguments: list[str]) -> int:
    """Show the versions of a gateway; go back one."""
    parser = argparse.ArgumentParser(
        prog="island vision models", description="The model versions of this gateway. 本网关的模型版本。"
    )
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="the gateway's site.toml")
    parser.add_argument("--back", action="store_true", help="return to the version before")
    return _obeyed("models", _models, parser.parse_args(arguments))


def _models(options: argparse.Namespace) -> int:
    _, shelf = _site(options.config)
    if options.back:
        shelf.back(at=datetime.now(UTC).isoformat(timespec="seconds"))
    standing = shelf.read()
    for version in ("", *shelf.versions()):
        marks = [
            f"in use since {standing.since}" if version == standing.in_use and standing.since else "",
            "in use" if version == standing.in_use and not standing.since else "",
            "before" if version == standing.before and version != standing.in_use else "",
            f"failed: {standing.failed[version]}" if version in standing.failed else "",
        ]
        print(f"{shown(version):24} {', '.join(filter(None, marks))}".rstrip())
    return OK


def _site(path: Path) -> tuple[SiteConfig, ModelShelf]:
    config = load(path, os.environ)
    return config, shelf_of(config)


def _obeyed(name: str, command: Callable[[argparse.Namespace], int], options: argparse.Namespace) -> int:
    try:
        return command(options)
    except IslandError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return FAILED
