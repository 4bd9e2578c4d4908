from __future__ import annotations

from pathlib import Path

import pytest

from simulated_silos.profiles import ProfileError, Profiles, Protocol, load_profiles, shipped_profiles


def read(tmp_path: Path, text: str) -> Profiles:
    file = tmp_path / "profiles.yaml"
    file.write_text(text)
    return load_profiles(file)


def test_the_shipped_profiles_have_all_silos_of_the_shipped_catalog() -> None:
    profiles = shipped_profiles()
    assert len(profiles.names) == 14
    asynchronous = {
        name: profiles.profile(name).completes_after_ms
        for name in profiles.names
        if profiles.profile(name).protocol is not Protocol.TMF640
    }
    assert asynchronous == {"shipping": 1500, "field-service": 3000, "trade-in": 1000, "old-pbx": 1500}
    assert [name for name in profiles.names if not profiles.profile(name).keys] == ["tv"]


def test_the_shipped_patterns_give_out_nothing_that_another_could(tmp_path: Path) -> None:
    profiles = shipped_profiles()
    given = [
        (name, pattern.format(n=1))
        for name in profiles.names
        for operation in profiles.profile(name).operations.values()
        for pattern in operation.outputs.values()
    ]
    silos_of = {value: {silo for silo, other in given if other == value} for _, value in given}
    assert all(len(silos) == 1 for silos in silos_of.values())


def test_a_silo_that_says_nothing_of_its_pace_has_the_default(tmp_path: Path) -> None:
    profiles = read(tmp_path, "defaults: {completes_after_ms: 7}\nsilos: {a: {}, b: {completes_after_ms: null}}")
    assert profiles.profile("a").completes_after_ms == 7
    assert profiles.profile("b").completes_after_ms is None
    assert profiles.profile("unheard-of").completes_after_ms == 7


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("silos: [", "not YAML"),
        ("silos: {a: {protocol: smoke}}", "silos.a.protocol"),
        ("silos: {a: {completes_after_ms: -1}}", "silos.a.completes_after_ms"),
        ("silos: {a: {colour: red}}", "silos.a.colour"),
        ("silos: {a: {operations: {b: {outputs: {c: 'X'}}}}}", "gives the same value twice"),
        ("silos: {a: {operations: {b: {outputs: {c: 'X{m}'}}}}}", "not a pattern"),
        ("", "(top)"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused_with_place_and_reason(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(ProfileError) as refused:
        read(tmp_path, text)
    assert str(refused.value).startswith("profiles.yaml: ")
    assert reason in str(refused.value)
