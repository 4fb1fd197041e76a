"""From records to pages: owns the templates' environment, the reader's choices and the headers of a page."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from cloud_sync.contract.look import plates
from cloud_sync.server import queries
from cloud_sync.server.auth import CurrentUser
from cloud_sync.server.console import energy_told, energy_views, keys, labels, nav, reading, trail, views
from cloud_sync.server.console.words import LANGUAGES, Words, load_catalogue
from cloud_sync.server.roles import Can
from cloud_sync.server.services import Services

TEMPLATES_DIR = Path(__file__).with_name("templates")
STATIC_DIR = Path(__file__).with_name("static")
LOOK_DIR = Path(plates.__file__).parent
READ_TIMEOUT_S = 10.0
THEMES = ("light", "dark", "auto")
LANGUAGE_COOKIE, THEME_COOKIE, KEYS_COOKIE = "island_language", "island_theme", "island_keys"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self';"
    " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_SENTENCES: tuple[tuple[ModuleType, tuple[str, ...]], ...] = (
    (
        views,
        (
            "chip", "text_chip", "plate_line", "picture_alt", "unsure_note", "headline", "lead", "subline", "short",
            "whys", "unread_sentence", "reading_note", "permit_line", "permit_checks", "lane_name", "lane_state",
        ),
    ),
    (trail, ("trail",)),
    (labels, ("label",)),
    (energy_views, ("energy_label", "power", "energy")),
    (energy_told, ("suggestion", "evidence_of")),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Choices:
    """What a reader chose; kept in cookies, so that it lasts and needs no account."""

    language: str
    theme: str
    keys_off: bool


@dataclass(frozen=True, slots=True)
class Language:
    """One language's templates."""

    words: Words
    templates: Environment


def choices_of(request: Request) -> Choices:
    """From cookies; else the browser's language, Chinese first, and the light theme."""
    language = request.cookies.get(LANGUAGE_COOKIE, "")
    if language not in LANGUAGES:
        accepted = request.headers.get("accept-language", "").lower()
        language = "en" if accepted.startswith("en") and "zh" not in accepted else "zh"
    theme = request.cookies.get(THEME_COOKIE, "auto")
    return Choices(language, theme if theme in THEMES else "auto", request.cookies.get(KEYS_COOKIE) == "off")


def languages(given: Services) -> dict[str, Language]:
    """The templates in each language; made once a server."""
    return {code: _language(code, given) for code in LANGUAGES}


def _language(code: str, given: Services) -> Language:
    words = Words(code, load_catalogue(code), given.config.zone, given.clock)
    templates = Environment(
        loader=FileSystemLoader(TEMPLATES_DIR),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    templates.install_gettext_callables(words.gettext, words.ngettext, newstyle=True)
    templates.globals.update(_globals(words))
    templates.filters["merge"] = lambda given_values, **more: {**given_values, **more}
    return Language(words, templates)


def _globals(words: Words) -> dict[str, Any]:
    found: dict[str, Any] = {
        name: partial(getattr(module, name), words) for module, names in _SENTENCES for name in names
    }
    own: tuple[Callable[..., Any], ...] = (
        words.time, words.clock_time, words.day, words.weekday, words.stamp, words.window, words.duration,
        words.percent, words.number, views.verdict_of, views.icon_of, reading.characters, plates.spoken,
        energy_views.figure,
    )  # fmt: skip
    found |= {one.__name__: one for one in own}
    return found | {"unsure": reading.unsure_at, "query_of": query_of, "version": assets_version()}


def query_of(**values: str) -> str:
    """The part of an address after `?`; empty values are left out."""
    return urlencode({name: value for name, value in values.items() if value})


@cache
def assets_version() -> str:
    """Changes when a stylesheet, script or icon does, so that browsers may keep them for ever."""
    digest = hashlib.sha256()
    for folder in (STATIC_DIR, LOOK_DIR):
        for path in sorted(folder.glob("*.*s*")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:10]


def page(request: Request, name: str, *, user: CurrentUser | None, status: int = 200, **context: Any) -> HTMLResponse:
    """One page in the reader's language and theme."""
    given: Services = request.app.state.services
    choices = choices_of(request)
    spoken_in: Language = languages_of(request)[choices.language]
    section = "/" + request.url.path.split("/")[1]
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    common = {
        "user": user,
        "may": lambda can: user is not None and user.may(Can(can)),
        "is_public": user is not None and user.role.is_public,
        "site": given.config.server.name,
        "lang": choices.language,
        "lang_tag": spoken_in.words.tag,
        "theme": choices.theme,
        "keys_off": choices.keys_off,
        "section": section,
        "nav_open": nav.open_groups(section, request.cookies.get(nav.NAV_COOKIE, "")),
        "here": here,
        "flash": flash_of(request, spoken_in.words),
        "holds_count": 0,
        "reviews_count": 0,
        "jumps": keys.jumps(spoken_in.words, user),
        "key_help": keys.key_help(spoken_in.words),
    }
    html = spoken_in.templates.get_template(name).render(common | context)
    return HTMLResponse(html, status_code=status, headers=page_headers())


async def desk_page(request: Request, name: str, *, user: CurrentUser, **context: Any) -> HTMLResponse:
    """A page whose navigation says how many vehicles wait, to whoever watches the gates."""
    waiting = 0
    if user.may(Can.WATCH_GATE):
        given: Services = request.app.state.services
        async with asyncio.timeout(READ_TIMEOUT_S):
            waiting = await queries.holds_count(given.pool)
    return page(request, name, user=user, holds_count=waiting, **context)


def done(request: Request, code: str, href: str) -> Response:
    """The answer to an act: a sentence for a script, the next page for a form."""
    if "application/json" in request.headers.get("accept", ""):
        return JSONResponse({"message": keys.done_sentence(words_of(request), code), "href": href, "done": code})
    return RedirectResponse(f"{href}{'&' if '?' in href else '?'}done={code}", status_code=303)


def languages_of(request: Request) -> dict[str, Language]:
    """Made at the first page of a server."""
    state = request.app.state
    if not hasattr(state, "console_languages"):
        state.console_languages = languages(state.services)
    found: dict[str, Language] = state.console_languages
    return found


def words_of(request: Request) -> Words:
    """The reader's words."""
    return languages_of(request)[choices_of(request).language].words


def flash_of(request: Request, words: Words) -> str:
    """What the page before did, in a sentence; the address names it by a code, never by text."""
    return keys.done_sentence(words, request.query_params.get("done", ""))


def page_headers() -> dict[str, str]:
    """A page is read once, belongs to one person, and loads nothing from elsewhere."""
    return {"Content-Security-Policy": POLICY, "Cache-Control": "no-store"}
