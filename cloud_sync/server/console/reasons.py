"""Reasons of decisions in words: joins the gate's own sentences with what this passage adds, and their icons."""

from __future__ import annotations

from cloud_sync.contract.look.plates import spoken
from cloud_sync.server.console import reading
from cloud_sync.server.console.labels import label
from cloud_sync.server.console.words import Words
from cloud_sync.server.records import PassageRecord, ReasonRecord
from control.gate.reasons import REASONS

_NEAR_PERMIT, _CHARACTER_UNSURE, _UNAVAILABLE = "near_permit", "character_unsure", "plate_unavailable"
_ICONS = {
    "battery_electric": "zap",
    "registered_new_energy": "zap",
    "plug_in": "plug-zap",
    "plug_in_held": "plug-zap",
    "fuel_without_permit": "fuel",
    "on_block_list": "ban",
    "near_block_list": "ban",
    "on_alert_list": "bell",
    "on_allow_list": "circle-check",
    "already_inside": "copy",
    "plate_unavailable": "video-off",
    "no_plate": "image-off",
    "plate_without_vehicle": "sticky-note",
    "plate_of_other_vehicle": "truck",
    "plate_wrong_size": "maximize",
    "plate_wrong_place": "scan-eye",
    "plate_moves_apart": "activity",
    "plate_appeared_late": "clock",
    "tailgated": "car",
    "leaving": "arrow-up-right",
    "permit_valid": "shield-check",
}
_HINTS = (
    ("permit", "shield-alert"),
    ("emergency", "siren"),
    ("regist", "file-text"),
    ("snapshot", "cloud-off"),
    ("lane", "construction"),
    ("unsure", "scan-search"),
    ("plate", "scan-search"),
    ("format", "scan-search"),
)

_TEXTS: dict[str, tuple[str, str]] = {str(code): texts for code, texts in REASONS.items()}


def reason_icon(code: str) -> str:
    """The icon that stands for a reason code."""
    return _ICONS.get(code) or next((icon for hint, icon in _HINTS if hint in code), "info")


def reason_title(words: Words, reason: ReasonRecord, record: PassageRecord) -> str:
    """A few words that answer "why"; with the plate or the character where they are known."""
    near = next((one for one in record.suggestions if one != record.plate), None)
    if reason.code == _NEAR_PERMIT and near:
        return words.gettext("One character away from permit %(plate)s") % {"plate": spoken(near)}
    unsure = reading.unsure_at(record)
    if reason.code == _CHARACTER_UNSURE and unsure:
        return words.gettext("Character %(n)d is below the line") % {"n": unsure[0] + 1}
    texts = _TEXTS.get(reason.code)
    return texts[0 if words.language == "zh" else 1] if texts else reason.code


def reason_sentence(words: Words, reason: ReasonRecord, record: PassageRecord) -> str:
    """What stands behind the title."""
    unsure = reading.unsure_at(record)
    if reason.code == _CHARACTER_UNSURE and unsure:
        one = record.characters[unsure[0]]
        read = [(one.char, one.probability), *one.alternatives[:1]]
        shares = ", ".join(f"{char} {reading.percent(share)}" for char, share in read)
        line = words.gettext("opening by itself needs %(p)s") % {"p": words.percent(reading.character_line_frac())}
        return f"{shares}；{line}" if words.language == "zh" else f"{shares}; {line}"
    return label(words, "device_why", reason.detail) if reason.code == _UNAVAILABLE else reason.detail
