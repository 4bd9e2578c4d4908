"""Reading a catalog from YAML, and keeping its versions."""

import hashlib
import json
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from catalog_loader.catalog_files import CatalogError, CatalogStore, UnknownCatalogVersion, read_catalog
from orders.model.catalog import Catalog, Dependency, EdgeKind, OnChange
from tests.orders.support.catalogs import SOUND, catalog_of

SILO = "silos:\n  inventory: {protocol: tmf640, address: /inventory}\n"


def write(folder: Path, **files: str) -> Path:
    """A folder with YAML files of these names and contents."""
    for name, text in files.items():
        file = folder / f"{name}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return folder


def refusal(folder: Path, **files: str) -> list[str]:
    """The problems of such files, as text."""
    with pytest.raises(CatalogError) as caught:
        read_catalog(write(folder, **files))
    assert str(caught.value) == "\n".join(str(problem) for problem in caught.value.problems)
    return [str(problem) for problem in caught.value.problems]


# Reading


def test_all_files_below_the_folder_make_one_catalog(tmp_path: Path) -> None:
    silos, rest = SOUND.split("\nspecifications:")
    specifications, offerings = rest.split("\nofferings:")
    parts = write(
        tmp_path / "parts",
        **{"a": silos, "below/b": f"specifications:{specifications}", "below/deeper/c": f"offerings:{offerings}"},
    )
    assert read_catalog(parts) == read_catalog(write(tmp_path / "whole", all=SOUND))


def test_names_come_from_the_keys(tmp_path: Path) -> None:
    catalog = read_catalog(write(tmp_path, all=SOUND))
    assert catalog.silos["field"].name == "field"
    assert catalog.specifications["internet"].tasks["port"].name == "port"
    assert catalog.offerings["duo"].name == "duo"


def test_short_forms_mean_the_same_as_long_ones(tmp_path: Path) -> None:
    line = "specifications/internet/tasks/line"
    long = catalog_of(
        tmp_path / "long",
        SOUND,
        **{
            f"{line}/depends_on": "[{task: port, kind: builds_on}, {task: router, kind: builds_on, optional: true},"
            " {task: account/open, kind: after}]",
            f"{line}/inputs/speed": '{value: "${char.speed}", on_change: amend}',
            "specifications/internet/tasks/port/release_after": "[{task: line}]",
        },
    )
    short = read_catalog(write(tmp_path / "short", all=SOUND))
    assert short.digest == long.digest
    task = short.specifications["internet"].tasks["line"]
    assert task.depends_on[0] == Dependency(task="port", kind=EdgeKind.BUILDS_ON)
    assert task.inputs["speed"].on_change is OnChange.AMEND


def test_an_input_can_be_a_map_or_a_list(tmp_path: Path) -> None:
    inputs = "specifications/internet/tasks/port/inputs"
    catalog = catalog_of(tmp_path, SOUND, **{f"{inputs}/place": "{site: [1, 2]}", f"{inputs}/none": "null"})
    given = catalog.specifications["internet"].tasks["port"].inputs
    assert given["place"].value == {"site": [1, 2]}
    assert given["none"].value is None


def test_durations_are_iso_8601_or_seconds(tmp_path: Path) -> None:
    silo = "  %s: {protocol: tmf640, address: /a, call_timeout: %s}\n"
    catalog = read_catalog(write(tmp_path, all="silos:\n" + silo % ("a", "PT30S") + silo % ("b", "5")))
    assert catalog.silos["a"].call_timeout == timedelta(seconds=30)
    assert catalog.silos["b"].call_timeout == timedelta(seconds=5)


@pytest.mark.parametrize(
    "text", ["NO", "yes", "2026-01-01", "0711", "+493023125000", "1_000", "12:30", "'5'", '"true"']
)
def test_what_is_no_json_value_is_text(tmp_path: Path, text: str) -> None:
    inputs = f"{{silos: {{a: {{protocol: tmf640, address: /a, title: {text}}}}}}}"
    assert read_catalog(write(tmp_path, all=inputs)).silos["a"].title == text.strip("'\"")


def test_anchors_can_be_used(tmp_path: Path) -> None:
    text = "silos:\n  a: &silo {protocol: tmf640, address: /a}\n  b: *silo\n"
    assert read_catalog(write(tmp_path, all=text)).silos["b"].address == "/a"


def test_an_empty_file_holds_nothing(tmp_path: Path) -> None:
    assert list(read_catalog(write(tmp_path, empty="# nothing yet\n", silos=SILO)).silos) == ["inventory"]


def test_reading_twice_gives_the_same_digest_whatever_the_order_of_keys(tmp_path: Path) -> None:
    one = write(tmp_path / "1", a="silos:\n  a: {protocol: tmf640, address: /a}\n  b: {protocol: tmf640, address: /b}")
    two = write(tmp_path / "2", a="silos:\n  b: {address: /b, protocol: tmf640}\n  a: {protocol: tmf640, address: /a}")
    assert read_catalog(one).digest == read_catalog(two).digest
    assert list(read_catalog(one).silos) == list(read_catalog(two).silos)


# Errors of form


def test_a_folder_without_a_catalog_is_refused(tmp_path: Path) -> None:
    assert "there is no catalog here" in refusal(tmp_path)[0]
    assert "there is no catalog here" in refusal(tmp_path / "nowhere")[0]


def test_a_syntax_error_is_named_with_its_line(tmp_path: Path) -> None:
    assert refusal(tmp_path, silos="silos:\n  a: {protocol: tmf640\n  b: 1\n")[0].startswith(
        "silos.yaml:3: is no YAML: "
    )


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "silos.yaml").write_bytes(b"silos: \xff")
    assert "is not UTF-8" in refusal(tmp_path)[0]


def test_control_characters_are_refused(tmp_path: Path) -> None:
    assert "is no YAML" in refusal(tmp_path, silos="silos: \x07")[0]


def test_a_file_that_would_be_overlooked_is_refused(tmp_path: Path) -> None:
    (tmp_path / "more.yml").write_text(SILO)
    assert refusal(tmp_path, silos=SILO) == ["more.yml: is not read: catalog files are named *.yaml"]


def test_file_path_and_reason_are_named(tmp_path: Path) -> None:
    text = SOUND.replace("on_change: replace", "on_change: repalce")
    line = text[: text.index("repalce")].count("\n") + 1
    assert refusal(tmp_path, all=text) == [
        f"all.yaml:{line}: specifications.internet.tasks.port.inputs.technology.on_change: "
        "Input should be 'amend', 'replace' or 'keep'"
    ]


def test_problems_of_sense_are_named_with_file_and_line_too(tmp_path: Path) -> None:
    text = SOUND.replace("silo: field", "silo: feld")
    assert refusal(tmp_path, **{"below/all": text}) == [
        "below/all.yaml:15: specifications.installation.tasks.visit.silo: there is no silo 'feld'"
    ]


def test_a_key_that_stands_twice_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path, all=SILO + "  inventory: {protocol: tmf641, address: /b}\n") == [
        "all.yaml:3: silos.inventory: the key stands here twice, first in line 2"
    ]


def test_a_name_in_two_files_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path, a=SILO, b="# again\n" + SILO) == [
        "b.yaml:3: silos.inventory: is already defined in a.yaml:2"
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[]", "all.yaml:1: the file must be a map with silos, capacities, specifications or offerings"),
        ("silo: {}", "all.yaml:1: silo: is none of silos, capacities, specifications, offerings"),
        ("silos: [a]", "all.yaml:1: silos: must be a map by name"),
        ("silos:\n  a:", "all.yaml:2: silos.a: must be a map"),
        (
            "silos:\n  a: {protocol: tmf640, address: /a, name: b}",
            "all.yaml:2: silos.a.name: the key above is the name",
        ),
        ("silos:\n  A: {protocol: tmf640, address: /a}", "all.yaml:2: silos.A: String should match pattern"),
        ("silos:\n  a: {protocol: tmf640, adress: /a, address: /a}", "silos.a.adress: Extra inputs are not permitted"),
        ("silos:\n  a: {protocol: tmf640}", "all.yaml:2: silos.a.address: Field required"),
        ("silos:\n  a: {protocol: soap, address: /a}", "all.yaml:2: silos.a.protocol: Input should be"),
        ("silos:\n  [a, b]: {}", "all.yaml:1: silos: a key must be plain text"),
        ("silos:\n  a: &a {x: *a}", "all.yaml:2: silos.a.x: an anchor that holds itself"),
        ("specifications:\n  a: {tasks: [b]}", "all.yaml:2: specifications.a.tasks: Input should be"),
        ("specifications:\n  a: {tasks: {b: c}}", "all.yaml:2: specifications.a.tasks.b: Input should be"),
        (
            "specifications:\n  a: {tasks: {b: {depends_on: [7]}}}",
            "specifications.a.tasks.b.depends_on.0: Input should",
        ),
        ("specifications:\n  a: {tasks: {b: {name: c}}}", "specifications.a.tasks.b.name: the key above is the name"),
        (
            "specifications:\n  a: {tasks: {B: {silo: a, operation: b}}}",
            "specifications.a.tasks.B: String should match",
        ),
        ("specifications:\n  a: {characteristics: {1x: {}}}", "specifications.a.characteristics.1x: String should"),
        ("offerings:\n  a: {}", "all.yaml:2: offerings.a: an offering has either a specification or a bundle"),
        (
            "offerings:\n  a: {bundle: {b: {offerings: []}}}",
            "offerings.a.bundle.b.offerings: Tuple should have at least",
        ),
        (
            "specifications:\n  a:\n    tasks:\n      b: {silo: a, operation: b, point_of_no_return: {kind: soft}}",
            "all.yaml:4: specifications.a.tasks.b.point_of_no_return: a soft point of no return has a fee",
        ),
    ],
)
def test_an_error_of_form_is_named(tmp_path: Path, text: str, problem: str) -> None:
    assert any(problem in found for found in refusal(tmp_path, all=text))


def test_problems_of_all_files_are_named_at_once(tmp_path: Path) -> None:
    found = refusal(
        tmp_path,
        a="silos: {a: {protocol: soap, adress: /a}}",
        b="silos: {b: {protocol: tmf640",
        c="offerings: {c: {}, d: {}}",
    )
    assert [problem.split(":")[0] for problem in found] == ["a.yaml"] * 3 + ["b.yaml"] + ["c.yaml"] * 2


# Keeping versions


@pytest.fixture(name="catalog")
def a_catalog(tmp_path: Path) -> Catalog:
    return read_catalog(write(tmp_path / "catalog", all=SOUND))


def test_a_version_that_was_kept_is_given_back(tmp_path: Path, catalog: Catalog) -> None:
    digest = CatalogStore(tmp_path / "versions").keep(catalog)
    again = CatalogStore(tmp_path / "versions").load(digest)
    assert digest == catalog.digest
    assert again == catalog
    assert json.dumps(again.model_dump(mode="json")) == json.dumps(catalog.model_dump(mode="json")), (
        "other order of keys"
    )


def test_a_version_is_read_from_disk_once(tmp_path: Path, catalog: Catalog) -> None:
    CatalogStore(tmp_path).keep(catalog)
    store = CatalogStore(tmp_path)
    assert store.load(catalog.digest) is store.load(catalog.digest)


def test_versions_live_side_by_side(tmp_path: Path, catalog: Catalog) -> None:
    store = CatalogStore(tmp_path / "versions")
    other = catalog_of(tmp_path / "other", SOUND, **{"offerings/fibre/characteristics/speed": "100"})
    digests = {store.keep(catalog), store.keep(other)}
    assert sorted(file.stem for file in (tmp_path / "versions").iterdir()) == sorted(digests)
    assert len(digests) == 2


def test_a_version_outlives_releases_that_add_fields(tmp_path: Path, catalog: Catalog) -> None:
    """What an older release kept has no value for a field that came later, and is none the worse for it."""
    content = json.loads(catalog.canonical())
    for silo in content["silos"].values():
        del silo["polling"]
    older = json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
    digest = hashlib.sha256(older).hexdigest()[:16]
    (tmp_path / f"{digest}.json").write_bytes(older)
    assert CatalogStore(tmp_path).load(digest) == catalog


@pytest.mark.parametrize("digest", ["0123456789abcdef", "../catalog", "", "x" * 16])
def test_an_unknown_version_is_a_clear_error(tmp_path: Path, digest: str) -> None:
    with pytest.raises(UnknownCatalogVersion, match=r"is not in|is no digest"):
        CatalogStore(tmp_path).load(digest)


def test_a_damaged_version_is_not_used_and_is_mended_by_keeping_it_again(tmp_path: Path, catalog: Catalog) -> None:
    digest = CatalogStore(tmp_path).keep(catalog)
    file = tmp_path / f"{digest}.json"
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(UnknownCatalogVersion, match="damaged"):
        CatalogStore(tmp_path).load(digest)
    CatalogStore(tmp_path).keep(catalog)
    assert CatalogStore(tmp_path).load(digest) == catalog


def keep_and_load(folder: Path, catalog_folder: Path) -> str:
    """What one of several processes does."""
    catalog = read_catalog(catalog_folder)
    for _ in range(20):
        digest = CatalogStore(folder).keep(catalog)
        assert CatalogStore(folder).load(digest) == catalog
    return catalog.digest


def test_several_processes_can_keep_the_same_version(tmp_path: Path, catalog: Catalog) -> None:
    with ProcessPoolExecutor(2) as processes:
        digests = list(processes.map(keep_and_load, [tmp_path / "versions"] * 2, [tmp_path / "catalog"] * 2))
    assert digests == [catalog.digest] * 2
    assert [file.name for file in (tmp_path / "versions").iterdir()] == [f"{catalog.digest}.json"]
