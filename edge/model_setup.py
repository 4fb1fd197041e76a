"""From the configuration to the reader and its updates: owns where versions lie and whose signature counts."""

from __future__ import annotations

from pathlib import Path

from cloud_sync.contract.v1 import PublicKey
from control.domain.errors import ConfigurationError, ContractError
from edge.config import SiteConfig, VisionConfig
from edge.model_install import Terms
from edge.model_shelf import ModelShelf
from edge.reader_process import ReaderSettings


def reader_settings(vision: VisionConfig) -> ReaderSettings:
    """What a reader is started with, apart from installed versions."""
    return ReaderSettings(vision.models_dir, vision.providers, vision.threads, vision.picture_s_max)


def shelf_of(config: SiteConfig) -> ModelShelf:
    """The gateway's installed models."""
    return ModelShelf(config.gateway.data_dir / "models")


def inbox_of(config: SiteConfig) -> Path:
    """The folder that takes signed updates."""
    return config.gateway.data_dir / "updates"


def update_terms(config: SiteConfig) -> Terms | None:
    """None where no key is configured: then no update is believed. Raises ConfigurationError for a key of no use."""
    path, name = config.vision.update_key_file, "vision.update_key_file"
    if path is None:
        path, name = config.cloud.public_key_file, "cloud.public_key_file"
    return None if path is None else Terms(public_key(path, name), config.vision.update_picture_ms_max)


def public_key(path: Path, name: str) -> PublicKey:
    """The key in a file that the setting `name` points to; raises ConfigurationError."""
    try:
        return PublicKey.from_text(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ContractError) as error:
        raise ConfigurationError(f"{path}: {name} cannot be used: {error}") from error
