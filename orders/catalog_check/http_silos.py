"""Whether the templates of `http` silos make sense: what they name, what they pick, and what tasks ask of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import jmespath
from jmespath.exceptions import JMESPathError
from pydantic import JsonValue

from orders.catalog_check.inputs import Target, targets_of
from orders.model.catalog import Catalog, OnChange, Protocol, Silo, Undo
from orders.model.expressions import Reference, references, stray_markers
from orders.model.silos.http_silo import HELD, Answers, HttpOperation, HttpQuestion, HttpRequest, HttpSilo
from orders.model.values import Verb

_OF_CALL: Final = ("id", "key", "order", "operation", "inputs", "callback_url")
_CHANGING: Final = (Verb.PROVISION, Verb.AMEND, Verb.COMPENSATE)
_OURS: Final = {
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "host",
    "idempotency-key",
    "order-id",
    "transfer-encoding",
}
"""Headers that no template sets."""


def http_problems(catalog: Catalog, silo: Silo) -> Iterator[tuple[str, str]]:
    """(field, reason) of everything wrong with the templates of a silo."""
    if silo.protocol is not Protocol.HTTP:
        if silo.http is not None:
            yield "http", f"has no effect: the protocol is {silo.protocol}"
        return
    if silo.http is None:
        yield "http", "is missing: the templates by which a silo of protocol http is spoken to"
        return
    for field, reason in _Http(catalog, silo, silo.http).problems():
        yield f"http.{field}", reason


@dataclass(frozen=True, slots=True)
class _Http:
    catalog: Catalog
    silo: Silo
    http: HttpSilo

    def problems(self) -> Iterator[tuple[str, str]]:
        yield from _headers("headers", self.http.headers)
        for name, value in self.http.headers.items():
            if stray_markers(value) or not _of_any_call(value):
                yield f"headers.{name}", f"in what all requests have there is ${{call.…}} alone: {', '.join(_OF_CALL)}"
        yield from _queries("answers", self.http.answers)
        tasks = targets_of(self.catalog, self.silo)
        for name, operation in self.http.operations.items():
            field = f"operations.{name}"
            yield from _queries(f"{field}.answers", operation.answers)
            check = _Operation(self.silo, self.http, operation, tasks.pop(name, ()))
            for inner, reason in check.problems():
                yield f"{field}.{inner}" if inner else field, reason
        for name, missing in tasks.items():
            asked_by = ", ".join(target.name for target in missing) or "the fees of changes"
            yield "operations", f"there is no {name}, which {asked_by} calls for"
        yield from self._reports()

    def _reports(self) -> Iterator[tuple[str, str]]:
        reports = self.http.reports
        if reports is None:
            return
        if not self.http.acknowledges:
            yield "reports", "has no effect: no request has a rule acknowledged, so nothing is reported later"
        for field, query in (("order", reports.order), ("key", reports.key)):
            if query is not None:
                yield from _query(f"reports.{field}", query)
        yield from _queries("reports.answers", reports.answers)
        meaning = self.http.meaning_of_reports()
        for name, rule in reports.answers.rules().items():
            if rule.status is not None:
                yield f"reports.answers.{name}.status", "has no effect: what is reported has no status"
        if meaning.done is None or meaning.done.when is None:
            yield "reports.answers.done", "is missing: by which expression a report says that a call is done"


@dataclass(frozen=True, slots=True)
class _Operation:
    """One operation, and the tasks that call for it."""

    silo: Silo
    http: HttpSilo
    operation: HttpOperation
    tasks: Sequence[Target]

    def problems(self) -> Iterator[tuple[str, str]]:
        for name, request in self.operation.requests():
            for field, reason in self._request(name, request):
                yield f"{name}.{field}", reason
        yield from self._outputs()
        yield from self._asked_for()
        yield from self._looked_at()

    def _request(self, verb: str, request: HttpRequest) -> Iterator[tuple[str, str]]:
        path = request.path
        if not path.startswith("/") or re.search(r"[?#\s]", path) or re.search(r"/\.{1,2}(?=/|$)", path):
            yield "path", f"{path!r} must begin with /, and has no part . or .., no query and no white space"
        if request.method == "GET" and request.body is not None:
            yield "body", "a GET has none"
        yield from self._values("path", path, verb)
        yield from self._values("query", request.query, verb)
        yield from self._values("body", request.body, verb)
        yield from _headers("headers", request.headers)
        for name, value in request.headers.items():
            yield from self._values(f"headers.{name}", value, verb)
        yield from _queries("answers", request.answers)
        if isinstance(request, HttpQuestion):
            for name, query in request.inputs.items():
                yield from _query(f"inputs.{name}", query)
        acknowledged = self.http.meaning(self.operation, request).acknowledged
        asked_by = self.operation.held or self.operation.inspect
        if acknowledged is not None and verb in _CHANGING and asked_by is None:
            yield "answers.acknowledged", "reports get lost, so there must be a request inspect, or held, to ask by"

    def _values(self, field: str, value: JsonValue, verb: str) -> Iterator[tuple[str, str]]:
        if stray_markers(value):
            yield field, "has a ${ that is no reference: they are written ${namespace.name}"
        for reference in dict.fromkeys(references(value)):
            for reason in self._reference(reference, verb, every=field == "path"):
                yield field, f"${{{reference.namespace}.{reference.name}}}: {reason}"

    def _reference(self, reference: Reference, verb: str, *, every: bool) -> Iterator[str]:
        name = reference.name
        match reference.namespace:
            case "call":
                if name not in _OF_CALL:
                    yield f"call has no {name!r} (it has: {', '.join(_OF_CALL)})"
            case "input":
                lacking = [task.name for task in self.tasks if name not in task.template.inputs]
                if lacking and (every or len(lacking) == len(self.tasks)):
                    yield f"{', '.join(lacking)} has no such input"
            case _ if reference.namespace == HELD:
                yield from self._of_held(name, verb)
            case _:
                yield "there are input, call and held"

    def _of_held(self, name: str, verb: str) -> Iterator[str]:
        held = self.operation.held
        if verb not in _CHANGING[1:]:
            yield "only amend and compensate know what is held"
        elif held is None:
            yield "there is no request held to ask by"
        elif name not in {**held.inputs, **self.http.meaning(self.operation, held).outputs}:
            yield f"held picks no {name!r}, neither as an input nor as an output"

    def _outputs(self) -> Iterator[tuple[str, str]]:
        """Each declared output must be picked somewhere."""
        told = self.http.meaning(self.operation, self.operation.provision)
        picked = set(told.outputs)
        if told.acknowledged is not None:
            picked |= set(self.http.meaning_of_reports().outputs)
        for task in self.tasks:
            for name in task.template.outputs:
                if name not in picked:
                    yield "", f"no answer to provision gives the output {name} of {task.name}"

    def _asked_for(self) -> Iterator[tuple[str, str]]:
        """What tasks may have done must have a request."""
        for task in self.tasks:
            if self.operation.compensate is None and task.template.undo is not Undo.NEVER:
                yield "", f"{task.name} may have to be undone: say compensate here, or undo: never there"
            if self.operation.amend is not None:
                continue
            for name, given in task.template.inputs.items():
                if given.on_change is OnChange.AMEND and any(references(given.value)):
                    yield "", f"the input {name} of {task.name} may change: say amend here, or on_change there"

    def _looked_at(self) -> Iterator[tuple[str, str]]:
        held = self.operation.held
        if held is None:
            if self.silo.retry == "inspect":
                yield "", "with retry: inspect the silo is asked what it holds: say held"
            return
        if self.http.meaning(self.operation, held).gone is None:
            yield "held.answers.gone", "is missing: by what the answer says that there is no such thing"
        if self.silo.retry == "inspect":
            for task in self.tasks:
                for name in task.template.inputs:
                    if name not in held.inputs:
                        yield "held.inputs", f"with retry: inspect every input is compared: there is no {name}"


def _of_any_call(value: str) -> bool:
    return all(reference.namespace == "call" and reference.name in _OF_CALL for reference in references(value))


def _headers(field: str, headers: dict[str, str]) -> Iterator[tuple[str, str]]:
    seen: set[str] = set()
    for name, value in headers.items():
        lower = name.lower()
        if lower in _OURS:
            yield f"{field}.{name}", "is set by orderpipe itself; who it is says login"
        if lower in seen:
            yield f"{field}.{name}", "stands there twice"
        seen.add(lower)
        if not (value.isascii() and value.isprintable()):
            yield f"{field}.{name}", "has characters that no header can have"


def _queries(field: str, answers: Answers) -> Iterator[tuple[str, str]]:
    for name, rule in answers.rules().items():
        if rule.when is not None:
            yield from _query(f"{field}.{name}.when", rule.when)
    for kind, queries in (("outputs", answers.outputs), ("milestones", answers.milestones)):
        for name, query in queries.items():
            yield from _query(f"{field}.{kind}.{name}", query)
    for name, query in (("code", answers.code), ("message", answers.message)):
        if query is not None:
            yield from _query(f"{field}.{name}", query)


def _query(field: str, query: str) -> Iterator[tuple[str, str]]:
    try:
        jmespath.compile(query)
    except JMESPathError as error:
        yield field, f"is no JMESPath expression: {str(error).splitlines()[0]}"
