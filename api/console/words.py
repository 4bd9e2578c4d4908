"""The console's two languages: English stands in the templates, German in `locale/de.po`."""

from __future__ import annotations

from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Final

from babel import Locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from starlette.requests import Request

LOCALE: Final = Path(__file__).with_name("locale")
ENGLISH: Final = "en"
LANGUAGES: Final = {ENGLISH: "English", "de": "Deutsch"}
LANGUAGE: Final = "orderpipe-language"
"""The cookie of somebody who wants another language than their browser's."""


def N_(words: str) -> str:
    """Words that are looked up where they are shown."""
    return words


@cache
def translations(language: str) -> NullTranslations:
    """What the words of the templates are in a language."""
    if language == ENGLISH:
        return NullTranslations()
    with (LOCALE / f"{language}.po").open("rb") as file:
        catalog = read_po(file, locale=language, charset="utf-8")
    compiled = BytesIO()
    write_mo(compiled, catalog)
    compiled.seek(0)
    return Translations(compiled)


@cache
def locale_of(language: str) -> Locale:
    """How dates, numbers and money are written in a language. English is that of the world, not of the US."""
    return Locale.parse("en_GB" if language == ENGLISH else language)


def language_of(request: Request) -> str:
    """The language of whoever is asking: as chosen, or the first of the browser's that there is."""
    chosen = request.cookies.get(LANGUAGE)
    if chosen in LANGUAGES:
        return chosen
    wanted: list[tuple[float, str]] = []
    for part in request.headers.get("accept-language", "")[:500].split(","):
        name, _, weight = part.strip().partition(";q=")
        try:
            wanted.append((float(weight or 1), name[:2].lower()))
        except ValueError:
            continue
    known = [(weight, name) for weight, name in wanted if name in LANGUAGES and weight > 0]
    return max(known, key=lambda each: each[0])[1] if known else ENGLISH
