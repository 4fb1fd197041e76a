"""From the configuration to the reader and its updates: owns where versions lie and whose signature counts."""

from __future__ import annotations

from pathlib import Path

from edge.adapters.update_fetch import FetchSettings
from edge.config import SiteConfig, VisionConfig
from edge.keys import public_key
from edge.model_install import Terms
from edge.model_shelf import ModelShelf
from edge.reader_process import ReaderSettings
from vision.head_shelf import HEADS_FOLDER


def reader_settings(vision: VisionConfig) -> ReaderSettings:
    """What a reader is started with, apart from installed versions."""
    return ReaderSettings(vision.models_dir, vision.providers, vision.threads, vision.picture_s_max)


def shelf_of(config: SiteConfig) -> ModelShelf:
    """The gateway's installed models."""
    return ModelShelf(config.gateway.data_dir / "models")


def heads_dir_of(config: SiteConfig) -> Path:
    """What the vehicle classifier has learnt on this site."""
    return config.gateway.data_dir / HEADS_FOLDER


def inbox_of(config: SiteConfig) -> Path:
    """The folder that takes signed updates."""
    return config.gateway.data_dir / "updates"


def fetch_settings(config: SiteConfig) -> FetchSettings | None:
    """Where updates are fetched from; the gateway's token goes to the cloud's own address and to no other."""
    vision, cloud = config.vision, config.cloud
    if not vision.update_url:
        return None
    ours = bool(cloud.api_url) and vision.update_url.startswith(cloud.api_url.rstrip("/") + "/")
    token = cloud.token.reveal() if ours and cloud.token is not None else ""
    return FetchSettings(vision.update_url, vision.update_period_h * 3600, token)


def update_terms(config: SiteConfig) -> Terms | None:
    """None where no key is configured: then no update is believed. Raises ConfigurationError for a key of no use."""
    path, name = config.vision.update_key_file, "vision.update_key_file"
    if path is None:
        path, name = config.cloud.public_key_file, "cloud.public_key_file"
    return None if path is None else Terms(public_key(path, name), config.vision.update_picture_ms_max)
