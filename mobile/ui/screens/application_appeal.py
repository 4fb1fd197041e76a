"""Appealing against what the office decided: owns what that sheet says, and the papers that can be added in it."""

from __future__ import annotations

from collections.abc import Awaitable

from mobile.core.models.applications import OneApplication
from mobile.core.models.choices import Choices
from mobile.ui.screen import AppScreen
from mobile.ui.screens.appeal_sheet import AppealSheet, AppealWords
from mobile.ui.screens.given_paper import PaperList

# While the server's own limit is not known.
PAPERS_MAX = 3


def appeal_sheet(screen: AppScreen, choices: Choices, application: OneApplication) -> AppealSheet:
    """The sheet, to be opened."""
    words, known = screen.words, choices.shown.value
    papers = PaperList(
        screen,
        choices,
        title=words("Paper"),
        icon="file-text",
        most=PAPERS_MAX if known is None else known.appeal_papers_max,
        button=lambda count, most: words("Add a paper ({n} of {most})", n=count, most=most),
        test_id="appeal-paper",
    )
    said = AppealWords(
        title=words("Appeal"),
        text=words("Somebody else than who decided looks at it again."),
        label=words("Why should it be decided otherwise?"),
        missing=words("Say in a few words why."),
        sent=words("Your appeal is with the office. Somebody else decides."),
    )

    def send(reason: str) -> Awaitable[None]:
        return application.appeal(reason, papers.contents)

    return AppealSheet(screen, said, send, papers=papers)
