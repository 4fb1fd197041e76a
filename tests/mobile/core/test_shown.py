"""A model shows what was last seen at once, then what the server says, and tells trouble beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from mobile.core.client import Client
from mobile.core.errors import ApiProblem, BadAnswer, FileGone, Offline, StoreBroken, StoreError, StoreFull
from mobile.core.shown import Model, Trouble, trouble_of
from mobile.core.words import Words

Phone = Callable[..., Client]


@dataclass(frozen=True)
class Figure:
    """Something to show."""

    points: int


class Figures(Model[Figure]):
    """Says what it is told to."""

    cache_key = "figures"
    answer = Figure

    def __init__(self, client: Client) -> None:
        self.told: list[Any] = []
        super().__init__(client)

    async def fetch(self) -> Figure:
        said = self.told.pop(0)
        if isinstance(said, Exception):
            raise said
        return said

    def empty(self, value: Figure) -> bool:
        return value.points == 0


async def test_from_nothing_to_fresh(phone: Phone) -> None:
    model, seen = Figures(phone()), []
    model.changed.connect(lambda: seen.append((model.shown.phase, model.shown.is_refreshing)))
    assert (model.shown.phase, model.shown.value, model.shown.is_empty) == ("loading", None, False)
    model.told = [Figure(0)]
    await model.refresh()
    assert (model.shown.phase, model.shown.value, model.shown.is_empty) == ("ready", Figure(0), True)
    assert seen == [("loading", True), ("ready", False)]


async def test_what_was_seen_is_there_again_with_its_age(phone: Phone) -> None:
    client = phone()
    first = Figures(client)
    first.told = [Figure(3)]
    await first.refresh()
    again = Figures(client)
    assert (again.shown.phase, again.shown.value) == ("stale", Figure(3))
    assert again.shown.seen_at == first.shown.seen_at
    again.told = [Offline("cut")]
    await again.refresh()
    assert (again.shown.phase, again.shown.value, again.shown.is_offline) == ("stale", Figure(3), True)
    again.told = [Figure(4)]
    await again.refresh()
    assert (again.shown.phase, again.shown.value, again.shown.problem) == ("ready", Figure(4), None)


async def test_without_anything_seen_trouble_is_an_error(phone: Phone) -> None:
    model = Figures(phone())
    model.told = [ApiProblem("forbidden", zh="不行", en="No", status=403)]
    await model.refresh()
    assert model.shown.phase == "error"
    assert model.shown.problem == Trouble("forbidden", "不行", "No", 403)


async def test_a_moment_ago_is_fresh_enough(phone: Phone) -> None:
    model = Figures(phone())
    model.told = [Figure(1), Figure(2)]
    await model.refresh_if_old()
    await model.refresh_if_old()
    assert model.shown.value == Figure(1)
    model.fresh_s = 0.0
    await model.refresh_if_old()
    assert model.shown.value == Figure(2)


async def test_an_answer_that_comes_for_somebody_else_is_dropped(phone: Phone) -> None:
    client = phone()
    model = Figures(client)

    async def while_others_sign_in() -> Figure:
        client.store.account = "li"
        return Figure(3)

    model.fetch = while_others_sign_in  # type: ignore[method-assign]
    await model.refresh()
    assert model.shown.value is None
    assert client.store.cache_get("figures") is None


async def test_a_cache_of_another_version_is_passed_over(phone: Phone) -> None:
    client = phone()
    client.store.cache_put("figures", {"other": 1}, client.clock.now())
    assert Figures(client).shown.phase == "loading"


async def test_a_full_phone_still_shows_what_came(phone: Phone, monkeypatch: pytest.MonkeyPatch) -> None:
    client = phone()

    def full(*_: Any) -> None:
        raise StoreFull("no room")

    monkeypatch.setattr(client.store, "cache_put", full)
    model = Figures(client)
    model.told = [Figure(3)]
    await model.refresh()
    assert (model.shown.phase, model.shown.value) == ("ready", Figure(3))
    assert model.shown.problem == Trouble("store_full")


async def test_a_model_of_a_closed_screen_hears_nothing(phone: Phone) -> None:
    client = phone()
    model = Figures(client)
    model.close()
    model.close()
    client.store.account = "li"
    client.session.changed.emit()
    assert model.shown.phase == "loading"


async def test_what_one_screen_hears_the_others_show(phone: Phone) -> None:
    client = phone()
    first, second = Figures(client), Figures(client)
    first.told = [Figure(3)]
    await first.refresh()
    assert (second.shown.value, second.shown.phase, second.shown.seen_at) == (Figure(3), "ready", first.shown.seen_at)
    first.told = [Offline("cut")]
    await first.refresh()
    assert second.shown.problem is None
    second.close()
    first.told = [Figure(4)]
    await first.refresh()
    assert second.shown.value == Figure(3)


async def test_what_others_hear_does_not_end_a_question_of_ones_own(phone: Phone) -> None:
    client = phone()
    first, second = Figures(client), Figures(client)
    first.told = [Figure(3)]

    async def meanwhile() -> Figure:
        await first.refresh()
        assert second.shown.is_refreshing
        return Figure(4)

    second.fetch = meanwhile  # type: ignore[method-assign]
    await second.refresh()
    assert (first.shown.value, second.shown.value) == (Figure(4), Figure(4))


@pytest.mark.parametrize(
    ("error", "zh", "advice"),
    [
        (Offline("cut"), "连不上服务器。", "检查网络后重试。"),
        (StoreFull("x"), "手机存储空间不足。", "清理一些空间，再试一次。"),
        (StoreBroken("x"), "应用的本地数据已损坏。", "关闭应用再打开，会自动修复能读出的内容。"),
        (StoreError("x"), "手机没能保存这项内容。", "再试一次；仍不行就重启手机。"),
        (FileGone("x"), "照片或文件已不在手机里。", "请重新添加。"),
        (BadAnswer("bad_answer"), "服务器比本应用新。", "请更新应用。"),
        (ApiProblem("token_reused", zh="已退出", status=401), "已退出", "重新登录即可，内容都还在。"),
        (ApiProblem("too_many_requests", zh="太多", status=429, retry_after_s=90), "太多", "1 分钟后再试。"),
        (ApiProblem("database_away", zh="没有应答", status=503), "没有应答", "稍后再试。"),
        (ApiProblem("forbidden", zh="不行", status=403), "不行", ""),
        (ApiProblem("points_refused", zh="规则不允许", more={"sentence_zh": "已兑完"}), "已兑完", ""),
    ],
)
def test_trouble_says_what_happened_and_what_to_do(error: Any, zh: str, advice: str, phone: Phone) -> None:
    words = phone().words
    trouble = Trouble.of(_kept(trouble_of(error)))
    assert (trouble.sentence(words), trouble.advice(words)) == (zh, advice)
    english = Words("en", words._now)
    assert not any("\u4e00" <= char <= "\u9fff" for char in trouble.advice(english))


def _kept(trouble: Trouble) -> dict[str, Any]:
    names = ("code", "zh", "en", "status", "retry_after_s", "more")
    return {name: getattr(trouble, name) for name in names}


def test_fields_of_a_refusal() -> None:
    said = {"fields": [{"field": "body.username", "why": "too short"}]}
    assert trouble_of(ApiProblem("invalid", more=said)).fields == (("username", "too short"),)


def test_a_trouble_is_said_whole_as_each_language_writes_it(phone: Phone) -> None:
    words = phone().words
    words.language = "en"
    assert Trouble("store_error").said(words).startswith("The phone could not keep this. Try again.")
    assert Trouble("full", "满了", "It is full.").said(words) == "It is full."
    words.language = "zh"
    assert " " not in Trouble("store_error").said(words)
