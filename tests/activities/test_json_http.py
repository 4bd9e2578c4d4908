"""Silos that are spoken to by templates: what they are sent, and what becomes of what they answer."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import httpx2
import pytest

from activities.protocols.http_client import SiloHttp
from activities.protocols.json_http import NOT_OFFERED, JsonHttp
from activities.protocols.json_requests import UNFIT_INPUT
from activities.protocols.protocol import SiloUnavailable
from orders.fulfilment.messages import SiloCall
from orders.model.catalog import Silo
from orders.model.silos.http_silo import HttpSilo
from orders.model.values import Verb
from orders.reconcile.outcome import Outcome, OutcomeKind
from settings import Settings, SettingsError
from tests.activities.bench import ORDER, THING, Bench, call

OPERATION: dict[str, Any] = {
    "answers": {"outputs": {"number": "thing.number"}},
    "provision": {
        "method": "POST",
        "path": "/things/${input.kind}",
        "body": {"ref": "${call.id}", "all": "${input.a}"},
    },
    "amend": {"method": "PUT", "path": "/things/${held.number}", "body": {"all": "${input.a}"}},
    "compensate": {"method": "DELETE", "path": "/things/${held.number}"},
    "held": {
        "method": "GET",
        "path": "/things",
        "query": {"ref": "${call.id}"},
        "answers": {
            "gone": {"when": "length(@) == `0`"},
            "acknowledged": {"when": "[0].state == 'working'"},
            "outputs": {"number": "[0].number"},
        },
        "inputs": {"a": "[0].all"},
    },
}


class Far:
    """A silo far away: answers as it is told to, and keeps what it was sent."""

    def __init__(self) -> None:
        self.sent: list[httpx2.Request] = []
        self.answers: list[httpx2.Response] = []

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        self.sent.append(request)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def answers_with(self, *answers: tuple[int, Any]) -> None:
        self.answers = [
            httpx2.Response(status, text=body) if isinstance(body, str) else httpx2.Response(status, json=body)
            for status, body in answers
        ]

    @property
    def lines(self) -> list[str]:
        return [f"{request.method} {request.url.raw_path.decode()}" for request in self.sent]


@pytest.fixture
def far() -> Far:
    return Far()


def silo(operation: dict[str, Any] = OPERATION, **http: Any) -> Silo:
    templates = HttpSilo.model_validate({"operations": {"thing": operation}, **http})
    return Silo.model_validate({"name": "far", "protocol": "http", "address": "http://far/base", "http": templates})


def speaking(bench: Bench, far: Far, silo: Silo, settings: Settings | None = None) -> JsonHttp:
    client = httpx2.AsyncClient(transport=httpx2.MockTransport(far.answer))
    return JsonHttp(SiloHttp(silo, client, settings or bench.settings))


async def run(bench: Bench, far: Far, silo: Silo, verb: Verb, call: SiloCall) -> Outcome:
    """As a worker would, with what is common to all protocols around it."""
    bench.client = httpx2.AsyncClient(transport=httpx2.MockTransport(far.answer))
    return await bench.run(silo, verb, call)


async def test_a_call_is_sent_by_its_template_under_its_key(bench: Bench, far: Far) -> None:
    far.answers_with((201, {"thing": {"number": "N-1"}}))
    outcome = await run(
        bench, far, silo(headers={"X-For": "${call.order}"}), Verb.PROVISION, call(kind="k", a=[1, None])
    )
    assert outcome == Outcome(OutcomeKind.DONE, {"number": "N-1"})
    [request] = far.sent
    assert far.lines == ["POST /base/things/k"]
    assert json.loads(request.content) == {"ref": THING, "all": [1, None]}
    headers = ("Idempotency-Key", "Order-Id", "X-For", "Content-Type")
    assert [request.headers[name] for name in headers] == [f"{THING}/0", ORDER, ORDER, "application/json"]


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ("../../admin", "/base/things/..%2F..%2Fadmin"),
        ("a?b=c#d", "/base/things/a%3Fb%3Dc%23d"),
        ("a%2Fb", "/base/things/a%252Fb"),
        ("ä;x y", "/base/things/%C3%A4%3Bx%20y"),
        (True, "/base/things/true"),
        (12, "/base/things/12"),
    ],
)
async def test_a_value_stays_within_its_part_of_a_path(bench: Bench, far: Far, value: Any, path: str) -> None:
    far.answers_with((200, {"thing": {"number": "N-1"}}))
    await run(bench, far, silo(), Verb.PROVISION, call(kind=value, a=1))
    assert far.lines == [f"POST {path}"]


@pytest.mark.parametrize("value", ["", None, ".", "..", ["a"], {"a": 1}])
async def test_a_value_that_would_lead_elsewhere_is_not_sent(bench: Bench, far: Far, value: Any) -> None:
    outcome = await run(bench, far, silo(), Verb.PROVISION, call(kind=value, a=1))
    assert (outcome.kind, outcome.code, far.sent) == (OutcomeKind.REFUSED, UNFIT_INPUT, [])


@pytest.mark.parametrize("value", ["a\r\nX-Admin: yes", "a\x00", "ü"])
async def test_a_value_does_not_break_out_of_a_header(bench: Bench, far: Far, value: str) -> None:
    provision = OPERATION["provision"] | {"headers": {"X-Kind": "is ${input.kind}"}, "path": "/things"}
    outcome = await run(bench, far, silo(OPERATION | {"provision": provision}), Verb.PROVISION, call(kind=value, a=1))
    assert (outcome.kind, outcome.code, far.sent) == (OutcomeKind.REFUSED, UNFIT_INPUT, [])


async def test_a_value_does_not_break_out_of_a_body_or_a_query_and_is_no_template_itself(
    bench: Bench, far: Far
) -> None:
    provision = {
        "method": "POST",
        "path": "/things",
        "query": {"q": "is ${input.kind}", "none": "${input.none}", "n": "${input.n}"},
        "body": {"text": "is ${input.kind}, ${input.flag}", "kind": "${input.kind}", "none": "${input.none}"},
    }
    far.answers_with((200, {"thing": {"number": "N-1"}}))
    value = '"}, {"a": "${call.key}&b=c'
    asked = call(kind=value, none=None, n=1.5, flag=True)
    await run(bench, far, silo(OPERATION | {"provision": provision}), Verb.PROVISION, asked)
    [request] = far.sent
    assert json.loads(request.content) == {"text": f"is {value}, true", "kind": value, "none": None}
    assert dict(request.url.params) == {"q": f"is {value}", "n": "1.5"}


async def test_what_has_a_name_of_the_silos_own_is_asked_for_first(bench: Bench, far: Far) -> None:
    far.answers_with((200, [{"number": "N/1", "all": 1}]), (200, {"thing": {"number": "N/1"}}))
    assert (await run(bench, far, silo(), Verb.AMEND, call(1, kind="k", a=2))).kind is OutcomeKind.DONE
    assert far.lines == [f"GET /base/things?ref={THING.replace('/', '%2F')}", "PUT /base/things/N%2F1"]


async def test_what_is_not_there_is_lost_to_an_amendment_and_done_for_a_compensation(bench: Bench, far: Far) -> None:
    far.answers_with((200, []))
    assert (await run(bench, far, silo(), Verb.AMEND, call(1, kind="k", a=2))).kind is OutcomeKind.LOST
    assert (await run(bench, far, silo(), Verb.COMPENSATE, call(2))).kind is OutcomeKind.DONE
    assert [line.split()[0] for line in far.lines] == ["GET", "GET"]


ANSWERS = {
    "gone": {"status": [410]},
    "again": {"status": [409], "when": "code == 'BUSY'"},
    "refused": {"when": "ok == `false`"},
    "acknowledged": {"status": [202]},
    "done": {"status": ["2xx"], "when": "ok"},
    "code": "error.code",
    "message": "join(' ', error.texts)",
}


@pytest.mark.parametrize(
    ("status", "body", "kind", "code", "reason"),
    [
        (200, {"ok": True}, OutcomeKind.DONE, "", ""),
        (202, {}, OutcomeKind.ACKNOWLEDGED, "", ""),
        (200, {"ok": False, "error": {"code": 17, "texts": ["no", "way"]}}, OutcomeKind.REFUSED, "17", "no way"),
        (400, {"error": {"texts": "odd"}}, OutcomeKind.REFUSED, "http_400", "Bad Request"),
        (404, "<html>nothing</html>", OutcomeKind.REFUSED, "http_404", "<html>nothing</html>"),
        (409, {"code": "DONE"}, OutcomeKind.REFUSED, "http_409", "Conflict"),
        (409, {"code": "BUSY"}, None, "", ""),
        (200, {}, None, "", ""),
        (200, "OK", None, "", ""),
        (204, "", None, "", ""),
        (302, {"ok": True}, None, "", ""),
        (429, {"ok": False}, None, "", ""),
        (500, {"ok": False}, None, "", ""),
    ],
)
async def test_an_answer_means_what_the_first_rule_that_fits_says(
    bench: Bench, far: Far, status: int, body: Any, kind: OutcomeKind | None, code: str, reason: str
) -> None:
    far.answers_with((status, body))
    asked = run(bench, far, silo(answers=ANSWERS), Verb.PROVISION, call(kind="k", a=1))
    if kind is None:
        with pytest.raises(SiloUnavailable):
            await asked
        return
    outcome = await asked
    assert (outcome.kind, outcome.code, outcome.reason) == (kind, code, reason)


async def test_outputs_that_are_not_there_are_not_told(bench: Bench, far: Far) -> None:
    provision = OPERATION["provision"] | {"answers": {"outputs": {"none": "thing.none", "odd": "abs(thing.number)"}}}
    far.answers_with((200, {"thing": {"number": "N-1", "none": None}}))
    outcome = await run(bench, far, silo(OPERATION | {"provision": provision}), Verb.PROVISION, call(kind="k", a=1))
    assert outcome.outputs == {"number": "N-1"}


async def test_what_became_of_an_awaited_call_is_asked_by_inspect_and_else_by_what_is_held(
    bench: Bench, far: Far
) -> None:
    inspect = {
        "method": "GET",
        "path": "/jobs/${call.key}",
        "answers": {
            "gone": {"status": [404]},
            "acknowledged": {"when": "state == 'working'"},
            "refused": {"when": "state == 'failed'"},
            "milestones": {"half-way": "half"},
            "code": "why",
        },
    }
    asks, asked = silo(OPERATION | {"inspect": inspect}), call(3, awaited=Verb.PROVISION, kind="k", a=1)
    for answer, told in [
        ((200, {"state": "working", "half": "2031-01-01T00:00:00Z"}), Outcome(OutcomeKind.ACKNOWLEDGED)),
        ((200, {"state": "failed", "why": "no_room"}), Outcome(OutcomeKind.REFUSED, code="no_room", reason="OK")),
        ((200, {"thing": {"number": "N-1"}}), Outcome(OutcomeKind.DONE, {"number": "N-1"})),
    ]:
        far.answers_with(answer)
        outcome = await run(bench, far, asks, Verb.INSPECT, asked)
        assert (outcome.kind, outcome.outputs, outcome.code) == (told.kind, told.outputs, told.code)
        assert set(outcome.milestones) == ({"half-way"} if "half" in answer[1] else set())
    far.answers_with((404, {}), (200, [{"number": "N-1", "all": 1, "state": "working"}]))
    assert (await run(bench, far, asks, Verb.INSPECT, asked)).kind is OutcomeKind.ACKNOWLEDGED
    far.answers_with((404, {}), (200, [{"number": "N-1", "all": 1}]))
    assert (await run(bench, far, asks, Verb.INSPECT, asked)).kind is OutcomeKind.DONE


@pytest.mark.parametrize("status", [400, 403, 500])
async def test_a_question_that_is_refused_says_nothing_of_the_call(bench: Bench, far: Far, status: int) -> None:
    far.answers_with((status, {}))
    inspect = {"method": "GET", "path": "/jobs/${call.key}"}
    for asks in (silo(OPERATION | {"inspect": inspect}), silo()):
        with pytest.raises(SiloUnavailable):
            await run(bench, far, asks, Verb.INSPECT, call(awaited=Verb.PROVISION, kind="k", a=1))


async def test_a_silo_without_keys_is_asked_before_a_call_is_repeated(bench: Bench, far: Far) -> None:
    forgetful = silo().model_copy(update={"retry": "inspect"})
    bench.client = httpx2.AsyncClient(transport=httpx2.MockTransport(far.answer))
    far.answers_with((200, [{"number": "N-1", "all": 1, "kind": "k"}]))
    held = OPERATION["held"] | {"inputs": {"a": "[0].all", "kind": "[0].kind"}}
    forgetful = silo(OPERATION | {"held": held}).model_copy(update={"retry": "inspect"})
    outcome = await bench.run(forgetful, Verb.PROVISION, call(kind="k", a=1), attempt=2)
    assert (outcome.kind, outcome.outputs["number"]) == (OutcomeKind.DONE, "N-1")
    assert [line.split()[0] for line in far.lines] == ["GET"]


async def test_what_the_catalog_has_no_request_for_is_refused(bench: Bench, far: Far) -> None:
    without = silo({"provision": OPERATION["provision"]})
    for verb, asked in [(Verb.AMEND, call(kind="k", a=1)), (Verb.PROVISION, call(operation="other", kind="k", a=1))]:
        outcome = await run(bench, far, without, verb, asked)
        assert (outcome.kind, outcome.code, far.sent) == (OutcomeKind.REFUSED, NOT_OFFERED, [])


def logins(tmp_path: Path, **secrets: str) -> Settings:
    file = tmp_path / "logins.json"
    file.write_text(json.dumps(secrets))
    return Settings(silo_logins=file, _env_file=None)  # pyright: ignore[reportCallIssue]


async def test_a_secret_comes_from_the_settings_and_goes_along(bench: Bench, far: Far, tmp_path: Path) -> None:
    settings = logins(tmp_path, pbx="t0ken", desk="me:pass word")
    far.answers_with((200, {"thing": {"number": "N-1"}}))
    for login in ({"bearer": "pbx"}, {"basic": "desk"}):
        await speaking(bench, far, silo(login=login), settings).provision(call(kind="k", a=1))
    basic = base64.b64encode(b"me:pass word").decode()
    assert [request.headers["Authorization"] for request in far.sent] == ["Bearer t0ken", f"Basic {basic}"]


def test_a_secret_that_is_not_there_is_named(bench: Bench, far: Far, tmp_path: Path) -> None:
    for settings in (bench.settings, logins(tmp_path, other="t0ken")):
        with pytest.raises(SettingsError, match="ORDERPIPE_SILO_LOGINS: there is no pbx"):
            speaking(bench, far, silo(login={"bearer": "pbx"}), settings)


@pytest.mark.parametrize("content", ["[]", '{"pbx": 1}', '{"pbx": "a\\nb"}', '{"pbx": ""}'])
def test_logins_of_another_form_are_refused_without_telling_them(content: str, tmp_path: Path) -> None:
    file = tmp_path / "logins.json"
    file.write_text(content)
    settings = Settings(silo_logins=file, _env_file=None)  # pyright: ignore[reportCallIssue]
    with pytest.raises(SettingsError) as caught:
        settings.read_silo_logins()
    assert str(caught.value).startswith("ORDERPIPE_SILO_LOGINS: ")
    assert "a\nb" not in str(caught.value)


# The shipped one, against its simulation


SETTINGS = {"extensions": 10, "voicemail": False, "city": "Musterstadt"}


def system(n: int = 0, /, *, awaited: Verb | None = None, **inputs: Any) -> SiloCall:
    return call(n, awaited=awaited, operation="telephone-system", **SETTINGS | inputs)


async def test_the_shipped_pbx_takes_a_call_on_is_amended_meanwhile_and_tells_when_it_is_done(bench: Bench) -> None:
    assert (await bench.provision("old-pbx", system())).kind is OutcomeKind.ACKNOWLEDGED
    assert (await bench.inspect("old-pbx", system(awaited=Verb.PROVISION))).kind is OutcomeKind.ACKNOWLEDGED
    assert (await bench.amend("old-pbx", system(1, extensions=20))).kind is OutcomeKind.ACKNOWLEDGED
    await bench.sim("POST", "/old-pbx/complete", {})
    outcome = await bench.inspect("old-pbx", system(1, awaited=Verb.AMEND, extensions=20))
    assert (outcome.kind, outcome.outputs["system_id"]) == (OutcomeKind.DONE, "PBX-0000003")  # It counts jobs too.
    assert await bench.held("old-pbx") == {THING: {"extensions": 20, "voicemail": False, "place": "Musterstadt"}}


async def test_the_shipped_pbx_is_repeated_under_the_same_key_and_does_it_once(bench: Bench) -> None:
    for _ in range(2):
        assert (await bench.provision("old-pbx", system())).kind is OutcomeKind.ACKNOWLEDGED
    assert await bench.journal("old-pbx") == ["provision applied", "provision replayed"]


async def test_the_shipped_pbx_refuses_fails_and_gives_up_what_it_has_begun(bench: Bench) -> None:
    await bench.faults("old-pbx", permanent=[{"operation": "*", "match": "", "code": "no_rack"}])
    outcome = await bench.provision("old-pbx", system())
    assert (outcome.kind, outcome.code) == (OutcomeKind.REFUSED, "no_rack")
    await bench.faults("old-pbx", error_rate=1.0)
    with pytest.raises(SiloUnavailable):
        await bench.provision("old-pbx", system(1))
    await bench.faults("old-pbx")
    assert (await bench.provision("old-pbx", system(1))).kind is OutcomeKind.ACKNOWLEDGED
    assert (await bench.compensate("old-pbx", system(2))).kind is OutcomeKind.DONE
    assert (await bench.amend("old-pbx", system(3))).kind is OutcomeKind.LOST
    assert await bench.held("old-pbx") == {}
