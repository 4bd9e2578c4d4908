"""A silo with a JSON interface of its own, in templates: which requests it is sent, and what its answers mean.

Values come into a request by `${input.NAME}` and the like (`orders.model.expressions`), and out of an answer by
JMESPath.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import Field, JsonValue, model_validator

from orders.model.expressions import references
from orders.model.values import CharacteristicName, Frozen, Name, Verb

Path: TypeAlias = Annotated[str, Field(max_length=1000)]
Query: TypeAlias = Annotated[str, Field(min_length=1, max_length=1000)]
"""A JMESPath expression on the body of an answer."""
HeaderName: TypeAlias = Annotated[str, Field(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$", max_length=100)]
SecretName: TypeAlias = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_.-]*$", max_length=100)]
Status: TypeAlias = (
    Annotated[int, Field(ge=200, le=599)] | Annotated[str, Field(pattern=r"^[2-5]xx$", min_length=3, max_length=3)]
)

HELD: Final = "held"
"""The namespace of what the silo says that it holds, for requests that name a thing as the silo does."""


class Rule(Frozen):
    """Which answers something is said of: those with such a status, and a body for which the expression holds.

    Without `status` those of 2xx; where it is refused also those of 4xx, save those that say nothing of the call (408,
    425, 429); where it is to be made again, any.
    """

    status: Annotated[tuple[Status, ...] | None, Field(min_length=1)] = None
    when: Query | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Rule:
        if self.status is None and self.when is None:
            raise ValueError("says neither status nor when")
        return self


class Answers(Frozen):
    """What answers mean. The first of the rules that fits counts, in this order.

    `gone`: there is no such thing. `again`: it says nothing, and the call is made again. Where none fits, 2xx is done
    unless there is a rule for that, 4xx is refused, and all else is made again.
    """

    gone: Rule | None = None
    again: Rule | None = None
    refused: Rule | None = None
    acknowledged: Rule | None = None
    done: Rule | None = None
    outputs: dict[CharacteristicName, Query] = Field(default_factory=dict)
    milestones: dict[Name, Query] = Field(default_factory=dict)
    code: Query | None = None
    message: Query | None = None

    def rules(self) -> dict[str, Rule]:
        """Those that there are, by name, in the order in which they are tried."""
        named = {
            "gone": self.gone,
            "again": self.again,
            "refused": self.refused,
            "acknowledged": self.acknowledged,
            "done": self.done,
        }
        return {name: rule for name, rule in named.items() if rule is not None}

    def over(self, usual: Answers) -> Answers:
        """These, and where they say nothing, what is usual."""
        return Answers(
            gone=self.gone or usual.gone,
            again=self.again or usual.again,
            refused=self.refused or usual.refused,
            acknowledged=self.acknowledged or usual.acknowledged,
            done=self.done or usual.done,
            outputs={**usual.outputs, **self.outputs},
            milestones={**usual.milestones, **self.milestones},
            code=self.code or usual.code,
            message=self.message or usual.message,
        )


class HttpRequest(Frozen):
    """A request by its template. A path may name values as parts of it; a body is any JSON."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: Path = ""
    query: dict[str, JsonValue] = Field(default_factory=dict)
    headers: dict[HeaderName, str] = Field(default_factory=dict)
    body: JsonValue = None
    answers: Answers = Answers()

    @property
    def names_what_is_held(self) -> bool:
        """True where the silo has to be asked first what it holds."""
        return any(reference.namespace == HELD for reference in references(self._templates()))

    def _templates(self) -> list[JsonValue]:
        return [self.path, self.query, dict(self.headers), self.body]


class HttpQuestion(HttpRequest):
    """What a silo is asked about a thing that it may hold. `inputs` says where each of them stands in the answer."""

    inputs: dict[CharacteristicName, Query] = Field(default_factory=dict)


class HttpOperation(Frozen):
    """The requests of one operation. `inspect` asks what became of an acknowledged call, `held` for the thing."""

    answers: Answers = Answers()
    provision: HttpRequest
    amend: HttpRequest | None = None
    compensate: HttpRequest | None = None
    held: HttpQuestion | None = None
    inspect: HttpRequest | None = None

    def requests(self) -> Iterator[tuple[str, HttpRequest]]:
        """(name, request) of all that there are."""
        named = {
            "provision": self.provision,
            "amend": self.amend,
            "compensate": self.compensate,
            "held": self.held,
            "inspect": self.inspect,
        }
        for name, request in named.items():
            if request is not None:
                yield name, request

    def changing(self, verb: Verb) -> HttpRequest | None:
        """What the silo is sent to have something changed."""
        return {Verb.PROVISION: self.provision, Verb.AMEND: self.amend, Verb.COMPENSATE: self.compensate}.get(verb)


class HttpLogin(Frozen):
    """How orderpipe shows who it is. What it shows is a secret, which is named here and kept elsewhere."""

    bearer: SecretName | None = None
    basic: SecretName | None = None

    @model_validator(mode="after")
    def _is_one(self) -> HttpLogin:
        if (self.bearer is None) == (self.basic is None):
            raise ValueError("is either bearer or basic")
        return self

    @property
    def secret(self) -> str:
        """The name of the secret."""
        return self.bearer or self.basic or ""


class HttpReport(Frozen):
    """What the silo posts later about a call that it acknowledged.

    `order` and `key` say where the body names them; without, the address that it was told does (`callback_url`).
    """

    order: Query | None = None
    key: Query | None = None
    answers: Answers = Answers()


class HttpSilo(Frozen):
    """All requests to one silo, by operation, and what is common to them."""

    login: HttpLogin | None = None
    headers: dict[HeaderName, str] = Field(default_factory=dict)
    answers: Answers = Answers()
    operations: dict[Name, HttpOperation] = Field(default_factory=dict)
    reports: HttpReport | None = None

    def meaning(self, operation: HttpOperation, request: HttpRequest) -> Answers:
        """What the answers to a request mean."""
        return request.answers.over(operation.answers.over(self.answers))

    def meaning_of_reports(self) -> Answers:
        """What the silo's reports mean."""
        return (self.reports or HttpReport()).answers.over(self.answers)

    @property
    def acknowledges(self) -> bool:
        """True where a call may be answered before it is done."""
        return any(
            self.meaning(operation, request).acknowledged is not None
            for operation in self.operations.values()
            for verb in (Verb.PROVISION, Verb.AMEND, Verb.COMPENSATE)
            if (request := operation.changing(verb)) is not None
        )
