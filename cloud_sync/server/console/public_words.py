"""Published rows in both languages: owns the readable names that programs are given beside a row's key."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from cloud_sync.server.carbon.public_rules import PublicRule
from cloud_sync.server.console import rule_words, zone_views
from cloud_sync.server.console.words import Words, load_catalogue
from cloud_sync.server.services import Services
from control.carbon.factors import Factor


@dataclass(frozen=True, slots=True)
class Said:
    """A row as people read it: what it is about, what it says (value with unit), and where it comes from."""

    name_zh: str
    name_en: str
    text_zh: str
    text_en: str
    source_zh: str
    source_en: str


_catalogue = cache(load_catalogue)


def _both(given: Services) -> tuple[Words, Words]:
    zh, en = (Words(one, _catalogue(one), given.config.zone, given.clock) for one in ("zh", "en"))
    return zh, en


def said_rule(given: Services, rule: PublicRule) -> Said:
    """One rule of permits or of points."""
    zh, en = _both(given)
    return Said(
        name_zh=rule_words.rule_name(zh, rule.key),
        name_en=rule_words.rule_name(en, rule.key),
        text_zh=zone_views.rule_text(zh, rule),
        text_en=zone_views.rule_text(en, rule),
        source_zh=zone_views.source_text(zh, rule.source),
        source_en=zone_views.source_text(en, rule.source),
    )


def said_factor(given: Services, row: Factor) -> Said:
    """One dated factor."""
    zh, en = _both(given)
    return Said(
        name_zh=zone_views.factor_name(zh, row),
        name_en=zone_views.factor_name(en, row),
        text_zh=zone_views.factor_value(row),
        text_en=zone_views.factor_value(row),
        source_zh=zone_views.source_text(zh, row.source),
        source_en=zone_views.source_text(en, row.source),
    )
