"""Every state, problem and flag says something in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import pytest

from control.domain.passes import PASS_PROBLEMS, PassProblem
from control.permits import words
from control.permits.application import Drive, EntryKind, Purpose, Role, Status
from control.permits.deadlines import ReminderKind, Term
from control.permits.documents import DocumentProblem
from control.permits.form_check import Problem, ProblemCode
from control.permits.rules import PAPERS
from control.permits.transitions import Action, StepRefusal
from control.permits.visits import VisitFlag, VisitState

TABLES: list[tuple[Mapping[str, tuple[str, str]], type[StrEnum]]] = [
    (words.STATUSES, Status),
    (words.ROLES, Role),
    (words.ACTIONS, Action),
    (words.ENTRY_KINDS, EntryKind),
    (words.DRIVES, Drive),
    (words.PURPOSES, Purpose),
    (words.FIELD_PROBLEMS, ProblemCode),
    (words.STEP_REFUSALS, StepRefusal),
    (words.TERMS, Term),
    (words.REMINDERS, ReminderKind),
    (words.DOCUMENT_PROBLEMS, DocumentProblem),
    (words.VISIT_STATES, VisitState),
    (words.VISIT_FLAGS, VisitFlag),
    (PASS_PROBLEMS, PassProblem),
]


@pytest.mark.parametrize(("table", "kinds"), TABLES)
def test_nothing_is_without_words(table: Mapping[str, tuple[str, str]], kinds: type[StrEnum]) -> None:
    assert set(table) == set(kinds)
    for chinese, english in table.values():
        assert any("\u4e00" <= character <= "\u9fff" for character in chinese)
        assert english.isascii()
        assert english.strip()


def test_papers_are_named() -> None:
    assert set(words.PAPER_KINDS) == set(PAPERS)
    missing = Problem(ProblemCode.PAPER_MISSING, "papers", "vehicle_licence")
    assert words.sentence(missing) == ("缺少材料：行驶证", "A paper is missing: Vehicle licence")
    hostile = Problem(ProblemCode.BLOCKED, "plate", "{detail}{0}")
    assert words.sentence(hostile)[1].endswith("{detail}{0}")
