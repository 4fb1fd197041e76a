"""The phone's own language: owns asking Android for it."""

from __future__ import annotations

from jnius import autoclass


def phone_language() -> str:
    """`zh` for every Chinese, otherwise `en`."""
    return "zh" if str(autoclass("java.util.Locale").getDefault().getLanguage()) == "zh" else "en"
