"""The words by which orders are found, and those of a question: the same however either of them is written.

Case, accents and umlauts mean nothing (`Müller` is `MUELLER`), `ß` is `ss`, `Straße` is `Str.`; nor do blanks, hyphens
and brackets within numbers and ids, nor whether a telephone number has its country or a 0 before it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

LONGEST_QUESTION: Final = 200
MOST_WORDS: Final = 8

_LONGEST_WORD: Final = 40
"""Characters that are compared. An index holds no long ones."""
_SHORT_NUMBER: Final = 4
_INTERNATIONAL: Final = 8
"""Digits that a number has at least of which `00` is taken for the way out of the country."""

_OTHER_LETTERS: Final = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe"})
_UMLAUT: Final = re.compile(r"([aou])e")
_PARTS: Final = re.compile(r"[^\W_]+")
_OF_NUMBER: Final = re.compile(r"\(?\+?[\d()/.\-]*\d[\d()/.\-]*")
_NUMBERED: Final = re.compile(r"[^\W\d_]+(\d{4,})")
"""A number with letters before it, such as that of a device: one may leave those out."""
_STREET: Final = re.compile(r"strasse$")
_STREET_BEGUN: Final = re.compile(r"stra(s(s(e)?)?)?$")
_TWO_DIGITS: Final = re.compile(r"2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]")
"""Country codes of E.164 that have two digits. 1 and 7 have one, all others three."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a question: the beginning of what is looked for, or the `whole` of it where that is too short."""

    text: str
    whole: bool


Reading: TypeAlias = tuple[Word, ...]
"""One way to read a question. What is looked for has every word."""


def terms_of(text: str) -> Iterator[str]:
    """The words of a text, and its numbers and compounds in one: what it is found by."""
    before = ""
    for chunk in _plain(text).split():
        parts = _PARTS.findall(chunk)
        for part in (*parts, "".join(parts)):
            if term := _STREET.sub("str", _squeezed(part)):
                yield term
                if term == "str":
                    yield f"{before}str"[:_LONGEST_WORD]
                if numbered := _NUMBERED.fullmatch(term):
                    yield numbered[1]
                before = term
    for number in _numbers(_plain(text).split()):
        yield from _in_both_ways(number)


def compound_of(text: str) -> Iterator[str]:
    """The text as one word, for what is not looked for by its parts."""
    if term := _squeezed("".join(_PARTS.findall(_plain(text)))):
        yield term


def readings(question: str) -> tuple[Reading, ...]:
    """What a question may mean: its words one by one, or its numbers and compounds in one.

    Raises:
        ValueError: if there is nothing in it to look for, or too much.
    """
    chunks = _plain(question).split()
    apart = [part for chunk in chunks for part in _PARTS.findall(chunk)]
    together = [word for run in _runs(chunks) for word in _as_one(run)]
    found = tuple(dict.fromkeys(_reading(words) for words in (apart, together)))
    if not any(found):
        raise ValueError("has neither a letter nor a digit")
    if min(map(len, filter(None, found))) > MOST_WORDS or len(apart) > 2 * MOST_WORDS:
        raise ValueError(f"has more than {MOST_WORDS} words")
    return tuple(reading for reading in found if 0 < len(reading) <= MOST_WORDS)


def _reading(words: list[str]) -> Reading:
    squeezed = [_STREET_BEGUN.sub("str", _squeezed(word)) for word in words]
    telling = [word for word in squeezed if word not in ("", "str")] or [word for word in squeezed if word]
    return tuple(Word(word, _is_short(word)) for word in dict.fromkeys(telling))


def _is_short(word: str) -> bool:
    """A house number is not the beginning of a telephone number."""
    return (len(word) == 1 and word.isascii()) or (word.isdigit() and len(word) < _SHORT_NUMBER)


def _plain(text: str) -> str:
    """Without case and accents."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(each for each in decomposed if not unicodedata.combining(each)).translate(_OTHER_LETTERS)


def _squeezed(word: str) -> str:
    """As one writes it who has no umlauts, or has them."""
    return _UMLAUT.sub(r"\1", word)[:_LONGEST_WORD]


def _runs(chunks: list[str]) -> Iterator[list[str]]:
    """The chunks, with those in one list that may be one number. A house number stands before a 0, none behind it."""
    run: list[str] = []
    for chunk in chunks:
        begins = chunk.startswith("+") or (chunk.startswith("0") and bool(run) and run[0][0] not in "+0(")
        if run and (begins or not _OF_NUMBER.fullmatch(chunk) or not _OF_NUMBER.fullmatch(run[-1])):
            yield run
            run = []
        run.append(chunk)
    if run:
        yield run


def _numbers(chunks: list[str]) -> Iterator[str]:
    return ("".join(run) for run in _runs(chunks) if _OF_NUMBER.fullmatch(run[0]))


def _as_one(run: list[str]) -> Iterator[str]:
    if not _OF_NUMBER.fullmatch(run[0]):
        yield "".join(_PARTS.findall("".join(run)))
        return
    *_, number = _in_both_ways("".join(run))
    yield number


def _in_both_ways(number: str) -> Iterator[str]:
    """The digits of a number; and where it begins with its country, last, as it is called within that."""
    outside = number.startswith(("+", "00", "(+", "(00"))
    digits = "".join(_PARTS.findall(number.replace("(0)", "") if outside else number))
    yield digits[:_LONGEST_WORD]
    if "+" in number[:2]:
        abroad = digits
    elif outside and len(digits) >= _INTERNATIONAL:
        abroad = digits[2:]
    else:
        return
    country = 1 if abroad[:1] in "17" else 2 if _TWO_DIGITS.match(abroad) else 3
    if len(abroad) > country:
        yield f"0{abroad[country:]}"[:_LONGEST_WORD]
