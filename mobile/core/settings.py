"""Choices of whoever holds the phone: owns language, theme and size of text, kept whoever is signed in."""

from __future__ import annotations

from mobile.core.signal import Signal
from mobile.core.store import Store
from mobile.core.words import LANGUAGES

THEMES = ("auto", "light", "dark")
TEXT_SCALE_LEAST, TEXT_SCALE_MOST = 1.0, 1.6


class Settings:
    """Set by attribute; each change is kept and told.

    What is given wins over what is kept, for this run; `phone_language` counts as long as nothing was kept.
    """

    def __init__(
        self,
        store: Store,
        *,
        language: str | None = None,
        phone_language: str | None = None,
        theme: str | None = None,
        text_scale: float | None = None,
    ) -> None:
        self.changed = Signal()
        self._store = store
        kept = store.setting_get("look", {})
        self._language = _one_of(LANGUAGES, language, kept.get("language"), phone_language)
        self._theme = _one_of(THEMES, theme, kept.get("theme"))
        self._text_scale = _scale(text_scale if text_scale is not None else kept.get("text_scale", TEXT_SCALE_LEAST))

    @property
    def language(self) -> str:
        """`zh` or `en`."""
        return self._language

    @language.setter
    def language(self, language: str) -> None:
        self._language = _one_of(LANGUAGES, language)
        self._keep()

    @property
    def theme(self) -> str:
        """`auto`, `light` or `dark`."""
        return self._theme

    @theme.setter
    def theme(self, theme: str) -> None:
        self._theme = _one_of(THEMES, theme)
        self._keep()

    @property
    def text_scale(self) -> float:
        """1.0 to 1.6."""
        return self._text_scale

    @text_scale.setter
    def text_scale(self, text_scale: float) -> None:
        self._text_scale = _scale(text_scale)
        self._keep()

    def _keep(self) -> None:
        kept = {"language": self._language, "theme": self._theme, "text_scale": self._text_scale}
        self._store.setting_put("look", kept)
        self.changed.emit()


def _one_of(known: tuple[str, ...], *wanted: str | None) -> str:
    return next((one for one in wanted if one in known), known[0])


def _scale(wanted: float) -> float:
    return min(TEXT_SCALE_MOST, max(TEXT_SCALE_LEAST, wanted))
