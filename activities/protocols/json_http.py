"""Silos with a JSON interface of their own, spoken to by the templates that the catalog has of them."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import dataclass
from typing import Final

import httpx2
from pydantic import JsonValue

from activities.protocols import json_answers
from activities.protocols.http_client import SiloHttp, told_delay
from activities.protocols.json_requests import filled, values_of
from activities.protocols.protocol import UNKNOWN_SERVICE, Holding, Refused, SiloProtocol, SiloUnavailable
from orders.fulfilment.messages import SiloCall
from orders.model.silos.http_silo import Answers, HttpLogin, HttpOperation, HttpRequest, HttpSilo
from orders.model.values import Inputs, Verb
from orders.reconcile.outcome import Outcome, OutcomeKind
from settings import Settings, SettingsError

NOT_OFFERED: Final = "not_offered"
"""The code of a call that was not made: the catalog has no request for it."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """An answer with what it means."""

    response: httpx2.Response
    body: JsonValue
    rules: Answers

    @property
    def code(self) -> str:
        return json_answers.text(self.rules.code, self.body, f"http_{self.response.status_code}")

    @property
    def message(self) -> str:
        plain = self.body if isinstance(self.body, str) else self.response.reason_phrase
        return json_answers.text(self.rules.message, self.body, plain)

    def outcome(self, kind: OutcomeKind) -> Outcome:
        """The outcome of a call that this is an answer to, or tells of."""
        return json_answers.outcome_of(self.rules, kind, self.body, self.code, self.message)


class JsonHttp(SiloProtocol):
    """A silo that is spoken to by templates."""

    def __init__(self, http: SiloHttp) -> None:
        self._http = http
        self._silo = http.silo.http or HttpSilo()
        self._login = {} if self._silo.login is None else authorization(self._silo.login, http.settings)

    async def provision(self, call: SiloCall) -> Outcome:
        """Send the operation's `provision`."""
        return await self._change(Verb.PROVISION, call)

    async def amend(self, call: SiloCall) -> Outcome:
        """Send the operation's `amend`."""
        return await self._change(Verb.AMEND, call)

    async def compensate(self, call: SiloCall) -> Outcome:
        """Send the operation's `compensate`."""
        return await self._change(Verb.COMPENSATE, call)

    async def inspect(self, call: SiloCall) -> Outcome:
        """Ask by the operation's `inspect` what became of the awaited call, or else by `held` for the thing."""
        operation = self._silo.operations.get(call.operation)
        if call.awaited is None or operation is None or operation.inspect is None:
            return await super().inspect(call)
        answer = await self._ask(operation, operation.inspect, call)
        kind = json_answers.told_kind(answer.rules, answer.response.status_code, answer.body)
        if kind is OutcomeKind.LOST and operation.held is not None:  # Silos clear old calls away.
            return await super().inspect(call)
        if kind is None and answer.response.is_success and answer.rules.done is None:
            kind = OutcomeKind.DONE
        if kind is None or kind is OutcomeKind.UNKNOWN:
            raise self._http.unusable(answer.response)
        return answer.outcome(kind)

    async def probe(self) -> None:
        """Ask for the silo's address as such: whatever it says, other than that it is not well, it is there."""
        answer = await self._http.exchange("GET", "", self._login, content=None, query={})
        if answer.is_server_error:
            raise self._http.unusable(answer)

    async def held(self, call: SiloCall) -> Holding | None:
        """Ask by the operation's `held`."""
        operation = self._silo.operations.get(call.operation)
        if operation is None or operation.held is None:
            raise SiloUnavailable(f"{self._http.silo.name} cannot be asked what it holds")
        answer = await self._ask(operation, operation.held, call)
        kind = json_answers.told_kind(answer.rules, answer.response.status_code, answer.body)
        if kind is OutcomeKind.LOST:
            return None
        if kind is OutcomeKind.ACKNOWLEDGED or kind is OutcomeKind.DONE:
            active = kind is OutcomeKind.DONE
        elif kind is None and answer.response.is_success and answer.rules.done is None:
            active = True
        else:
            raise self._http.unusable(answer.response)
        expressions = {**operation.held.inputs, **answer.rules.outputs}
        return Holding(json_answers.picked(expressions, answer.body), active=active)

    async def _change(self, verb: Verb, call: SiloCall) -> Outcome:
        operation = self._silo.operations.get(call.operation)
        request = operation.changing(verb) if operation is not None else None
        if operation is None or request is None:
            raise Refused(NOT_OFFERED, f"{self._http.silo.name} has no request to {verb} {call.operation}")
        try:
            # What comes first and the request itself together take no longer than a call may.
            async with asyncio.timeout(self._http.silo.call_timeout.total_seconds()):
                holding = await self.held(call) if request.names_what_is_held else Holding({})
                if holding is None:
                    return _gone(verb, call)
                answer = await self._exchange(operation, request, call, holding.characteristics)
        except TimeoutError:
            message = f"{self._http.silo.name} gave no answer in time"
            raise SiloUnavailable(message, may_still_land=True) from None
        kind = json_answers.kind_of(answer.rules, answer.response.status_code, answer.body)
        match kind:
            case None:
                raise self._http.unusable(answer.response)
            case OutcomeKind.LOST:
                return _gone(verb, call)
            case OutcomeKind.REFUSED:
                raise Refused(
                    answer.code,
                    answer.message,
                    status=answer.response.status_code,
                    retry_after=told_delay(answer.response.headers.get("Retry-After")),
                )
            case _:
                return answer.outcome(kind)

    async def _ask(self, operation: HttpOperation, request: HttpRequest, call: SiloCall) -> _Answer:
        try:
            return await self._exchange(operation, request, call, {})
        except Refused as refused:  # A question that cannot be asked says nothing of the call that it is about.
            raise SiloUnavailable(f"{self._http.silo.name} cannot be asked: {refused}") from None

    async def _exchange(self, operation: HttpOperation, template: HttpRequest, call: SiloCall, held: Inputs) -> _Answer:
        request = filled(template, self._silo.headers, values_of(call, self._http.callback_url, held))
        headers = {
            **request.headers,
            "Idempotency-Key": call.key,
            "Order-Id": call.order_id,
            **({} if request.content is None else {"Content-Type": "application/json"}),
            **self._login,
        }
        response = await self._http.exchange(
            request.method, request.path, headers, content=request.content, query=request.query
        )
        return _Answer(response, json_answers.body_of(response.content), self._silo.meaning(operation, template))


def authorization(login: HttpLogin, settings: Settings) -> dict[str, str]:
    """The header by which a silo knows orderpipe.

    Raises:
        SettingsError: if the secret is not configured.
    """
    secret = settings.read_silo_logins().get(login.secret)
    if secret is None:
        raise SettingsError(f"ORDERPIPE_SILO_LOGINS: there is no {login.secret}, which the catalog names")
    if login.basic is not None:
        return {"Authorization": f"Basic {base64.b64encode(secret.encode()).decode()}"}
    return {"Authorization": f"Bearer {secret}"}


def _gone(verb: Verb, call: SiloCall) -> Outcome:
    """There is no such thing: well, where it was to be undone."""
    if verb is Verb.COMPENSATE:
        return Outcome(OutcomeKind.DONE)
    raise Refused(UNKNOWN_SERVICE, f"there is no {call.service}")
