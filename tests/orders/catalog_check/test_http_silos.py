"""What is found wrong with the templates of a silo."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalog_loader.catalog_files import CatalogError, read_catalog
from tests.orders.support.catalogs import SOUND, catalog_of, problems_of

TEMPLATES = """
silos:
  network:
    protocol: http
    address: /network
    http:
      headers: {X-Order: "${call.order}"}
      answers: {code: error.code, message: error.text}
      operations:
        line:
          answers: {outputs: {line_id: id}}
          provision: {method: POST, path: /lines, body: {all: "${call.inputs}"}}
          amend: {method: PUT, path: "/lines/${held.line_id}", body: {speed: "${input.speed}"}}
          compensate: {method: DELETE, path: "/lines/${call.id}"}
          held: {method: GET, path: "/lines/${call.id}", answers: {gone: {status: [404]}}}
"""
TEXT = SOUND.replace("  network: {protocol: tmf640, address: /network}\n", TEMPLATES.split("silos:\n")[1])
HTTP = "silos/network/http"
LINE = f"{HTTP}/operations/line"


def found(folder: Path, **changes: str | None) -> list[str]:
    return [problem.removeprefix("silos.network.http.") for problem in problems_of(folder, TEXT, **changes)]


def test_templates_that_make_sense_are_taken(tmp_path: Path) -> None:
    assert found(tmp_path) == []
    assert catalog_of(tmp_path, TEXT).silos["network"].answers_at_once


def test_a_silo_may_answer_before_it_is_done(tmp_path: Path) -> None:
    changes = {f"{LINE}/provision/answers": "{acknowledged: {status: [202]}}", "silos/network/polling": "{first: PT9S}"}
    assert found(tmp_path, **changes) == []
    assert not catalog_of(tmp_path, TEXT, **changes).silos["network"].answers_at_once


@pytest.mark.parametrize(
    ("path", "content", "problem"),
    [
        ("provision/path", "lines", "provision.path: 'lines' must begin with /"),
        ("provision/path", "/lines?a=b", "provision.path: '/lines?a=b' must begin with /"),
        ("provision/path", "/a/../b", "provision.path: '/a/../b' must begin with /"),
        ("provision/path", "/lines/${input.color}", "provision.path: ${input.color}: internet/line, voice/line has no"),
        ("provision/path", "/lines/${input.speed}", "provision.path: ${input.speed}: voice/line has no such input"),
        ("provision/body", "{a: [{b: '${input.color}'}]}", "provision.body: ${input.color}: internet/line, voice/line"),
        ("provision/body", "{a: '${call.me}'}", "provision.body: ${call.me}: call has no 'me'"),
        ("provision/body", "{a: '${site.id}'}", "provision.body: ${site.id}: there are input, call and held"),
        ("provision/body", "{a: '${held.line_id}'}", "provision.body: ${held.line_id}: only amend and compensate know"),
        ("provision/body", "{a: '${input}'}", "provision.body: has a ${ that is no reference"),
        ("provision/query", "{a: '${call.me}'}", "provision.query: ${call.me}: call has no 'me'"),
        ("provision/headers", "{X-A: '${call.me}'}", "provision.headers.X-A: ${call.me}: call has no 'me'"),
        ("provision/headers", "{authorization: secret}", "provision.headers.authorization: is set by orderpipe itself"),
        ("amend/body", "{a: '${held.speed}'}", "amend.body: ${held.speed}: held picks no 'speed'"),
        ("held/body", "{a: b}", "held.body: a GET has none"),
        ("held/answers", "{}", "held.answers.gone: is missing"),
        ("held/inputs", "{speed: 'a['}", "held.inputs.speed: is no JMESPath expression"),
        ("answers/outputs/line_id", "a b", "answers.outputs.line_id: is no JMESPath expression"),
        ("provision/answers", "{done: {when: '='}}", "provision.answers.done.when: is no JMESPath expression"),
        ("answers", "{}", "no answer to provision gives the output line_id of internet/line"),
        ("compensate", None, "internet/line may have to be undone: say compensate here, or undo: never there"),
        ("amend", None, "the input port of internet/line may change: say amend here, or on_change there"),
    ],
)
def test_what_is_wrong_with_a_request_is_named(path: str, content: str | None, problem: str, tmp_path: Path) -> None:
    problems = found(tmp_path, **{f"{LINE}/{path}": content})
    place = "operations.line: " if problem.split()[0] in ("no", "internet/line", "the") else "operations.line."
    assert any(each.startswith(place + problem) for each in problems), problems


@pytest.mark.parametrize(
    ("path", "content", "problem"),
    [
        ("headers", "{X-A: '${input.speed}'}", "headers.X-A: in what all requests have there is ${call.…} alone"),
        ("headers", "{X-A: a, x-a: b}", "headers.x-a: stands there twice"),
        ("headers", "{X-A: ü}", "headers.X-A: has characters that no header can have"),
        ("answers/code", "'&&'", "answers.code: is no JMESPath expression"),
        ("operations", "{}", "operations: there is no line, which internet/line, voice/line calls for"),
        ("reports", "{answers: {done: {when: ok}}}", "reports: has no effect: no request has a rule acknowledged"),
        ("reports", "{key: '['}", "reports.key: is no JMESPath expression"),
        ("reports", "{}", "reports.answers.done: is missing"),
        ("reports", "{answers: {done: {status: [200]}}}", "reports.answers.done.status: has no effect"),
    ],
)
def test_what_is_wrong_with_what_requests_have_in_common_is_named(
    path: str, content: str, problem: str, tmp_path: Path
) -> None:
    problems = found(tmp_path, **{f"{HTTP}/{path}": content})
    assert any(each.startswith(problem) for each in problems), problems


@pytest.mark.parametrize(
    ("path", "content", "problem"),
    [
        (f"{LINE}/provision/method", "FETCH", "operations.line.provision.method: "),
        (f"{LINE}/provision/eval", "1", "operations.line.provision.eval: "),
        (f"{LINE}/provision/answers", "{done: {}}", "operations.line.provision.answers.done: says neither"),
        (f"{LINE}/provision/answers", "{done: {status: [99]}}", "operations.line.provision.answers.done.status.0"),
        (f"{HTTP}/login", "{}", "login: is either bearer or basic"),
        (f"{HTTP}/login", "{bearer: a, basic: b}", "login: is either bearer or basic"),
        (f"{HTTP}/login", "{bearer: 'a secret!'}", "login.bearer: "),
    ],
)
def test_what_has_another_form_is_named(path: str, content: str, problem: str, tmp_path: Path) -> None:
    problems = found(tmp_path, **{path: content})
    assert any(each.startswith(problem) for each in problems), problems


def test_a_silo_has_templates_if_and_only_if_its_protocol_is_http(tmp_path: Path) -> None:
    assert "silos.network.http: is missing" in problems_of(tmp_path, TEXT, **{HTTP: None})[0]
    assert "silos.network.http: has no effect" in problems_of(tmp_path, TEXT, **{"silos/network/protocol": "tmf640"})[0]


def test_what_waits_can_be_asked_about(tmp_path: Path) -> None:
    acknowledged = {f"{LINE}/provision/answers": "{acknowledged: {status: [202]}}"}
    problems = found(tmp_path, **acknowledged, **{f"{LINE}/held": None, f"{LINE}/amend/path": "/lines"})
    assert [each for each in problems if "reports get lost" in each]


def test_a_silo_without_keys_can_be_compared(tmp_path: Path) -> None:
    problems = found(tmp_path, **{"silos/network/retry": "inspect"})
    assert [each for each in problems if each.endswith("there is no speed")]


def test_a_problem_names_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "all.yaml").write_text(TEXT.replace("line_id: id", "line_id: '['"))
    with pytest.raises(CatalogError) as caught:
        read_catalog(tmp_path)
    line = 1 + TEXT[: TEXT.index("line_id: id")].count("\n")
    assert str(caught.value).startswith(
        f"all.yaml:{line}: silos.network.http.operations.line.answers.outputs.line_id: "
    )
