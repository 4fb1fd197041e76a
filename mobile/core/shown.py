"""What a screen shows: owns a value with its age and its trouble, and that a model shows the cache before it asks.

A model never raises for a refusal, the network or the phone's memory: these stand in what it shows, beside the last
value that was seen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from mobile.core.api.parsing import Unreadable, parse, plain
from mobile.core.errors import ApiProblem, BadAnswer, FileGone, Offline, StoreBroken, StoreError, StoreFull
from mobile.core.signal import Signal
from mobile.core.words import N_, Words

if TYPE_CHECKING:
    from mobile.core.client import Client

T = TypeVar("T")
Phase = Literal["loading", "ready", "stale", "error"]

# Our own troubles: (sentence, what to do next).
_OURS = {
    "offline": (N_("No connection to the island."), N_("Check the network, then try again.")),
    "store_full": (N_("The phone has no room left."), N_("Free some space, then try again.")),
    "store_broken": (N_("The app's memory is damaged."), N_("Close the app and open it again: it mends what it can.")),
    "store_error": (N_("The phone could not keep this."), N_("Try again. If it stays so, restart the phone.")),
    "file_gone": (N_("A picture or paper is no longer on the phone."), N_("Add it again.")),
    "bad_answer": (N_("The island's server is newer than this app."), N_("Update the app.")),
}
_SIGN_IN_AGAIN = frozenset({"not_signed_in", "token_invalid", "token_reused"})


@dataclass(frozen=True, slots=True)
class Trouble:
    """What went wrong, worded when it is shown, in the language of then. `more` is what the server added."""

    code: str
    zh: str = ""
    en: str = ""
    status: int = 0
    retry_after_s: float | None = None
    more: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, kept: dict[str, Any]) -> Trouble:
        """As it was kept."""
        trouble: Trouble = parse(cls, kept)
        return trouble

    def sentence(self, words: Words) -> str:
        """What happened."""
        if self.code in _OURS:
            return words(_OURS[self.code][0])
        return words.both(self.zh, self.en)

    def advice(self, words: Words) -> str:
        """What to do next; "" where the sentence says it."""
        if self.code in _OURS:
            return words(_OURS[self.code][1])
        if self.code in _SIGN_IN_AGAIN:
            return words("Sign in again. Nothing is lost.")
        if self.retry_after_s is not None:
            return words("Try again in {duration}.", duration=words.duration(self.retry_after_s))
        if self.status >= 500:
            return words("Try again later.")
        return ""

    def said(self, words: Words) -> str:
        """Both, one behind the other as the language writes it."""
        return words.both("", " ").join(filter(None, (self.sentence(words), self.advice(words))))

    @property
    def fields(self) -> tuple[tuple[str, str], ...]:
        """Fields that the server found wrong, each with its reason (in English)."""
        said = self.more.get("fields", [])
        return tuple((str(one.get("field", "")).removeprefix("body."), str(one.get("why", ""))) for one in said)


def trouble_of(error: ApiProblem | Offline | StoreError) -> Trouble:
    """An error as something to show."""
    match error:
        case Offline():
            return Trouble("offline")
        case StoreFull():
            return Trouble("store_full")
        case StoreBroken():
            return Trouble("store_broken")
        case FileGone():
            return Trouble("file_gone")
        case StoreError():
            return Trouble("store_error")
        case BadAnswer():
            return Trouble("bad_answer", status=error.status)
        case ApiProblem():
            # Rules of points are refused with a sentence of their own.
            zh, en = error.more.get("sentence_zh", error.zh), error.more.get("sentence_en", error.en)
            return Trouble(error.code, zh, en, error.status, error.retry_after_s, error.more)


@dataclass(frozen=True, slots=True)
class Shown(Generic[T]):
    """A value, when it was seen, and how it stands.

    loading: nothing yet. ready: fresh. stale: seen earlier, or the last refresh failed (`problem`). error: nothing to
    show, and why.
    """

    value: T | None = None
    seen_at: datetime | None = None
    phase: Phase = "loading"
    problem: Trouble | None = None
    is_empty: bool = False
    is_refreshing: bool = False

    @property
    def is_offline(self) -> bool:
        """Whether the network was what failed."""
        return self.problem is not None and self.problem.code == "offline"


class Model(Generic[T]):
    """One thing that screens show. A subclass says `cache_key`, `answer` (the value's type) and `fetch`."""

    cache_key: str
    answer: Any
    fresh_s: float = 60.0

    def __init__(self, client: Client) -> None:
        self.client = client
        self.changed = Signal()
        self.shown: Shown[T] = Shown()
        self._account = client.store.account
        self._is_keeping = False
        self._stops: list[Callable[[], None]] = [
            client.session.changed.connect(self._session_changed),
            client.store.kept(self.cache_key).connect(self._heard),
        ]
        self.load()

    async def fetch(self) -> T:
        """Asks the server."""
        raise NotImplementedError

    def empty(self, value: T) -> bool:
        """Whether there is nothing in it to show."""
        return value == ()

    # ------------------------------------------------------------ cache

    def load(self) -> None:
        """What was last seen."""
        try:
            kept = self._kept()
        except StoreError as error:
            self._show(Shown(phase="error", problem=trouble_of(error)))
        except Unreadable:
            self._show(Shown())  # another version of the app kept it
        else:
            self._show(Shown() if kept is None else Shown(*kept, "stale", None, self.empty(kept[0])))

    def _kept(self) -> tuple[T, datetime] | None:
        """What is in the cache, and when it was seen. Raises StoreError, Unreadable."""
        kept = self.client.store.cache_get(self.cache_key)
        return None if kept is None else (parse(self.answer, kept[0]), kept[1])

    def _heard(self) -> None:
        """What another screen was told meanwhile: both show the same."""
        if self._is_keeping:
            return
        before = self.shown
        try:
            kept = self._kept()
        except (StoreError, Unreadable):
            return  # what is shown stays
        if kept is None:
            return
        value, seen_at = kept
        shown = replace(before, value=value, seen_at=seen_at, is_empty=self.empty(value))
        if before.seen_at is None or seen_at > before.seen_at:
            shown = replace(shown, phase="ready", problem=None)
        self._show(shown)

    def _session_changed(self) -> None:
        """Somebody else's screen shows nothing of mine."""
        if self.client.store.account != self._account:
            self._account = self.client.store.account
            self.load()

    def _show(self, shown: Shown[T]) -> None:
        self.shown = shown
        self.changed.emit()

    # ------------------------------------------------------------ network

    async def refresh(self) -> None:
        """Asks the server, and shows how that went."""
        account = self.client.store.account
        self._show(replace(self.shown, is_refreshing=True))
        try:
            value = await self.fetch()
        except (ApiProblem, Offline, StoreError) as error:
            if self.client.store.account == account:
                self._show(self._failed(trouble_of(error)))
            return
        if self.client.store.account == account:
            self.put(value)

    def put(self, value: T) -> None:
        """Shows and keeps a value that has just come from the server."""
        at = self.client.clock.now()
        problem = self._keep(lambda: self.client.store.cache_put(self.cache_key, plain(value), at))
        self._show(Shown(value, at, "ready", problem, self.empty(value)))

    def _keep(self, work: Callable[[], None]) -> Trouble | None:
        """Writes into the cache; why that failed."""
        self._is_keeping = True
        try:
            work()
        except StoreError as error:
            return trouble_of(error)
        finally:
            self._is_keeping = False
        return None

    def _failed(self, problem: Trouble) -> Shown[T]:
        phase: Phase = "error" if self.shown.value is None else "stale"
        return replace(self.shown, phase=phase, problem=problem, is_refreshing=False)

    async def refresh_if_old(self) -> None:
        """Asks the server unless that was done a moment ago."""
        seen_at = self.shown.seen_at
        if self.shown.phase != "ready" or seen_at is None or self.client.clock.age_s(seen_at) >= self.fresh_s:
            await self.refresh()

    def close(self) -> None:
        """Its screen is gone."""
        for stop in self._stops:
            stop()
