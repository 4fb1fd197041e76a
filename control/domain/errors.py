"""Errors that the whole island shares. An expected refusal is a value and an event, not an error."""

from __future__ import annotations


class IslandError(Exception):
    """Base of every error of ours; its text says what happened, to what, and what to do next."""


class DeviceError(IslandError):
    """A device or a peer misbehaved: silent, refused a write, sent nonsense."""


class ConfigurationError(IslandError):
    """A configuration file is at fault; the text names the file and the key."""


class ContractError(IslandError):
    """Bytes from a peer do not follow the contract."""
