"""Words are the same however they are written: those of orders, and those of questions."""

from __future__ import annotations

from contextlib import suppress

import pytest

from orders.model.writing.words import LONGEST_QUESTION, readings, terms_of


def finds(question: str, *texts: str) -> bool:
    """True where one of the ways to read a question has every word begin, or be, one of the texts' terms."""
    terms = {term for text in texts for term in terms_of(text)}
    return any(
        all(any(term == word.text if word.whole else term.startswith(word.text) for term in terms) for word in reading)
        for reading in readings(question)
    )


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("müller", "Erika Mueller"),
        ("MUELLER", "Erika Müller"),
        ("Muller", "Erika Müller"),
        ("mue", "Müller"),
        ("Strauß", "STRAUSS"),
        ("strauss", "Strauß"),
        ("Rene", "René Šťastný"),
        ("stastny rené", "René Šťastný"),
        ("Søren", "Soeren"),
        ("Łukasz", "Lukasz"),
        ("Manuela", "Manuela"),
        ("manu", "Manuela"),
        ("bau", "Bauer"),
        ("\uff2d\u00dcLLER", "Müller"),
        ("O'Brien", "O\u2019Brien"),
        ("obrien", "O'Brien"),
        ("Müller-Lüdenscheid", "Mueller Luedenscheid"),
        ("Lüdenscheid", "Müller-Lüdenscheid"),
        ("Γιάννης", "ΓΙΑΝΝΗΣ"),
        ("李", "李小龙"),
    ],
)
def test_a_name_is_found_however_it_is_written(question: str, text: str) -> None:
    assert finds(question, text)


@pytest.mark.parametrize("written", ["+49 151 2345678", "0151 2345-678", "0049 (0)151/2345678", "(0151) 234 5678"])
@pytest.mark.parametrize(
    "question",
    ["+491512345678", "0151 2345678", "0151-234 5678", "00491512345678", "+49 (0) 151 2345678", "0151 234", "015123"],
)
def test_a_telephone_number_is_found_with_and_without_its_country(question: str, written: str) -> None:
    assert finds(question, written)


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("+43 660 1234567", "0660 1234567"),
        ("0660 1234567", "+436601234567"),
        ("0301234567", "+358301234567"),
        ("02125550123", "+1 (212) 555-0123"),
        ("491512345678", "+49 151 2345678"),
        ("030 0123 456", "+49300123456"),
    ],
)
def test_numbers_of_other_countries_are_found_too(question: str, text: str) -> None:
    assert finds(question, text)


@pytest.mark.parametrize(
    "question",
    ["Lindenweg 7", "lindenweg 7 12345", "7 Lindenweg Musterstadt", "Lindenweg 7 0151 2345678", "linden must"],
)
def test_a_street_is_found_with_its_number_and_what_else_is_known(question: str) -> None:
    assert finds(question, "Lindenweg", "7", "12345", "Musterstadt", "+49 151 2345678")


@pytest.mark.parametrize("written", ["Hauptstraße", "Hauptstr.", "HAUPTSTRASSE", "Haupt Straße", "Haupt Str."])
@pytest.mark.parametrize("question", ["Hauptstraße", "hauptstr", "hauptstras", "Hauptstr.", "haupt strasse", "haupt"])
def test_a_street_is_found_abbreviated_or_not(question: str, written: str) -> None:
    assert finds(question, written)


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("WEB-7001", "web-7001"),
        ("web7001", "WEB-7001"),
        ("7001", "WEB-7001"),
        ("SN 1234-5678", "SN12345678"),
        ("12345678", "SN12345678"),
        ("1234 5678 9012", "123456789012"),
        ("web-51210a3f6660", "web-51210a3f6660"),
        ("urn:ngsi-ld:organization:4711", "urn:ngsi-ld:organization:4711"),
    ],
)
def test_ids_and_numbers_are_found_with_and_without_hyphens_and_blanks(question: str, text: str) -> None:
    assert finds(question, text)


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("Meier", "Müller"),
        ("Lindenweg 7", "Lindenweg 71"),
        ("erika meier", "Erika Müller"),
        ("7", "7001234"),
        ("0151 2345678", "0160 2345678"),
    ],
)
def test_what_differs_is_not_found(question: str, text: str) -> None:
    assert not finds(question, text)


@pytest.mark.parametrize("question", ["", " ", "%_*", "☎", "\u0301", "-- '"])
def test_a_question_without_letter_or_digit_asks_for_nothing(question: str) -> None:
    with pytest.raises(ValueError, match="neither a letter nor a digit"):
        readings(question)


def test_a_question_has_no_more_words_than_it_may() -> None:
    assert readings("a b c d e f g h")
    with pytest.raises(ValueError, match="more than 8 words"):
        readings("a b c d e f g h i")


def test_digits_of_one_number_are_one_word() -> None:
    assert finds("+49 1 5 1 2 3 4 5 6 7 8", "01512345678")


@pytest.mark.parametrize(
    "text", ["x" * LONGEST_QUESTION, "(" * LONGEST_QUESTION + "1", "1 " * 100, "+" * 200, "0" * 200]
)
def test_what_is_long_is_cut_or_refused(text: str) -> None:
    assert all(len(term) <= 44 for term in terms_of(text))
    with suppress(ValueError):
        assert readings(text)
