"""What a catalog is refused for, apart from its tasks: one test for each kind of nonsense."""

from pathlib import Path

import pytest

from tests.orders.support.catalogs import only, problems_of

INTERNET = "specifications/internet"
LINE = "specifications/internet/tasks/line"


def test_a_sound_catalog_has_no_problems(tmp_path: Path) -> None:
    assert problems_of(tmp_path) == []


# Silos


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("address", "inventory", "neither http(s)://… nor a path"),
        ("address", "ftp://host/x", "neither http(s)://… nor a path"),
        ("rate_per_second", "inf", "must be finite"),
        ("call_timeout", "PT0S", "more than nothing"),
        ("retry_budget", "{first_pause: PT5M, longest_pause: PT1M}", "longer than the longest"),
        ("retry_budget", "{first_pause: PT0S}", "more than nothing"),
    ],
)
def test_a_silo_needs_an_address_and_times_that_work(tmp_path: Path, field: str, value: str, reason: str) -> None:
    problem = only(tmp_path, **{f"silos/inventory/{field}": value})
    assert problem.startswith(f"silos.inventory.{field}")
    assert reason in problem


def test_a_silo_that_answers_at_once_is_not_polled(tmp_path: Path) -> None:
    assert "nothing to poll for" in only(tmp_path, **{"silos/inventory/polling": "{first: PT5S}"})


@pytest.mark.parametrize(
    ("polling", "reason"), [("{first: P1D}", "longer than"), ("{first: PT0S}", "more than nothing")]
)
def test_polling_starts_after_a_pause_and_slows_down(tmp_path: Path, polling: str, reason: str) -> None:
    assert reason in only(tmp_path, **{"silos/field/polling": polling})


# Specifications


def test_an_unknown_included_specification_is_named(tmp_path: Path) -> None:
    found = problems_of(tmp_path, **{f"{INTERNET}/includes": "[account, installation, acount]"})
    assert found == ["specifications.internet.includes.2: there is no specification 'acount'"]


def test_a_specification_can_not_include_itself(tmp_path: Path) -> None:
    found = problems_of(tmp_path, **{"specifications/account/includes": "[account]"})
    assert "specifications.account.includes.0: includes itself" in found


def test_included_specifications_include_nothing(tmp_path: Path) -> None:
    found = problems_of(tmp_path, **{"specifications/installation/includes": "[account]"})
    assert any("installation includes others itself" in problem for problem in found)


def test_a_product_can_not_be_included_in_another(tmp_path: Path) -> None:
    found = problems_of(tmp_path, **{f"{INTERNET}/includes": "[account, installation, voice]"})
    assert any("voice has the role voice" in problem for problem in found)


def test_including_twice_is_refused(tmp_path: Path) -> None:
    assert "account is included twice" in only(tmp_path, **{f"{INTERNET}/includes": "[account, installation, account]"})


def test_a_specification_that_nothing_includes_is_refused(tmp_path: Path) -> None:
    spare = "{tasks: {open: {title: X, silo: inventory, operation: spare}}}"
    assert only(tmp_path, **{"specifications/spare": spare}).startswith("specifications.spare: nothing includes it")


def test_a_product_specification_that_no_offering_sells_is_refused(tmp_path: Path) -> None:
    spare = "{role: spare, tasks: {open: {title: X, silo: inventory, operation: spare}}}"
    assert only(tmp_path, **{"specifications/spare": spare}).startswith("specifications.spare: no offering sells it")


def test_characteristics_and_site_of_an_included_specification_have_no_effect(tmp_path: Path) -> None:
    found = problems_of(
        tmp_path,
        **{"specifications/account/characteristics": "{name: {}}", "specifications/account/site": "required"},
    )
    assert [problem.split(":")[0] for problem in found] == [
        "specifications.account.characteristics.name",
        "specifications.account.site",
    ]


# Characteristics


@pytest.mark.parametrize(
    ("declared", "reason"),
    [
        ("{type: integer, default: fast}", '"fast" is not of type integer'),
        ("{type: integer, default: true}", "true is not of type integer"),
        ("{type: integer, minimum: 5, default: 4}", "4 is below 5"),
        ("{type: integer, maximum: 5, default: 6}", "6 is above 5"),
        ("{values: [a, b], default: c}", '"c" is not one of "a", "b"'),
        ("{pattern: '[0-9]+', default: x1}", '"x1" does not have the form'),
        ("{type: integer, minimum: 9, maximum: 5}", "9 is above the maximum 5"),
        ("{minimum: 5}", "makes no sense for the type string"),
        ("{type: integer, pattern: '[0-9]+'}", "makes no sense for the type integer"),
        ("{pattern: '[0-9'}", "is no regular expression"),
        ("{values: []}", "no value is possible"),
        ("{values: [a, a]}", "'a' stands there twice"),
        ("{values: [a, 5]}", "5 is not of type string"),
        ("{values: [a, null]}", "null is no value"),
        ("{type: integer, values: [1, 50], maximum: 10}", "50 is above 10"),
    ],
)
def test_a_characteristic_must_be_possible(tmp_path: Path, declared: str, reason: str) -> None:
    problem = only(tmp_path, **{f"{INTERNET}/characteristics/extra": declared})
    assert problem.startswith("specifications.internet.characteristics.extra")
    assert reason in problem


# Offerings


def test_an_offering_of_an_unknown_specification_is_refused(tmp_path: Path) -> None:
    problem = only(tmp_path, **{"offerings/extra": "{specification: intranet}"})
    assert problem == "offerings.extra.specification: there is no specification 'intranet'"


def test_an_offering_of_a_specification_without_a_role_is_refused(tmp_path: Path) -> None:
    assert "account has no role" in only(tmp_path, **{"offerings/extra": "{specification: account}"})


def test_an_offering_can_not_fix_what_its_specification_does_not_declare(tmp_path: Path) -> None:
    problem = only(tmp_path, **{"offerings/fibre/characteristics": "{speed: 500, colour: red}"})
    assert problem == "offerings.fibre.characteristics.colour: internet has no such characteristic"


@pytest.mark.parametrize(("value", "reason"), [("5000", "5000 is above 1000"), ("null", "requires a value")])
def test_an_offering_can_not_fix_a_value_that_is_invalid(tmp_path: Path, value: str, reason: str) -> None:
    assert reason in only(tmp_path, **{"offerings/fibre/characteristics/speed": value})


def test_the_prices_of_an_offering_are_in_one_currency(tmp_path: Path) -> None:
    prices = '[{amount: "5.00", currency: EUR}, {amount: "9.00", currency: CHF, period: once}]'
    problem = only(tmp_path, **{"offerings/phone/prices": prices})
    assert problem == "offerings.phone.prices: are in different currencies: CHF, EUR"


def test_a_bundle_has_no_characteristics_of_its_own(tmp_path: Path) -> None:
    assert "has no effect" in only(tmp_path, **{"offerings/duo/characteristics": "{speed: 100}"})


@pytest.mark.parametrize(
    ("component", "reason"),
    [
        ("{offerings: [phone, fone]}", "there is no offering 'fone'"),
        ("{offerings: [phone, fibre]}", "fibre has the role internet, not voice"),
        ("{offerings: [phone, duo]}", "duo is a bundle itself"),
        ("{offerings: [phone], default: fibre}", "fibre is not among the component's offerings"),
    ],
)
def test_a_bundle_component_holds_offerings_of_its_role(tmp_path: Path, component: str, reason: str) -> None:
    problem = only(tmp_path, **{"offerings/duo/bundle/voice": component})
    assert problem.startswith("offerings.duo.bundle.voice")
    assert reason in problem


def test_all_problems_are_found_at_once(tmp_path: Path) -> None:
    found = problems_of(
        tmp_path,
        **{
            "silos/inventory/address": "nowhere",
            f"{LINE}/silo": "netwerk",
            f"{LINE}/inputs/port": '"${port.id}"',
            "offerings/fibre/characteristics/speed": "5000",
        },
    )
    assert len(found) == 4
