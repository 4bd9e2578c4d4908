"""What the care API takes and tells of fallout: calls that a person is needed for, who has each, and its story."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, model_validator
from pydantic.alias_generators import to_camel

from api.care.customers.customer_bodies import Word
from api.care.orders.change_bodies import OptionResponse
from api.tmf.response_model import ResponseModel
from api.tmf.times import InstantOut
from api.tmf.tmf622.shapes import TmfBody
from orders.model.budget import LONGEST_TEXT
from orders.model.instants import Instant
from orders.model.silos.rules import Severity
from orders.model.values import Verb
from orders.model.writing.text import Name, Text
from orders.model.writing.wording import Wording
from orders.read_model.fallout import FalloutEnd, FalloutSort, FalloutState
from orders.tracking.what_if.ways import Way


def _sorts(text: str) -> str:
    sorts_of(text)
    return text


def sorts_of(text: str) -> tuple[tuple[FalloutSort, bool], ...]:
    """What to sort by, as it is asked for: `-attempts,since`. A plus that was not encoded arrives as a space.

    Raises:
        ValueError: naming what cannot be sorted by.
    """
    names = [name.strip() for name in text.split(",") if name.strip()]
    known = {sort.value: sort for sort in FalloutSort}
    for name in names:
        if name.lstrip("+-") not in known:
            raise ValueError(f"fallout is sorted by {', '.join(known)}")
    return tuple((known[name.lstrip("+-")], name.startswith("-")) for name in names)


class FalloutSearch(BaseModel):
    """What fallout is looked for by; all of it has to hold.

    Without `state` what is not over; of any of several severities. `offering` is that of any item of the order.
    `sinceBefore` finds what has waited for longer.
    """

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid")

    state: list[FalloutState] = []
    silo: Word | None = None
    operation: Word | None = None
    code: Word | None = None
    offering: Word | None = None
    channel: Word | None = None
    customer: Word | None = None
    order: Word | None = None
    group: Word | None = None
    severity: list[Severity] = []
    claimed: bool | None = None
    claimed_by: Word | None = None
    in_jeopardy: bool | None = None
    since_from: Instant | None = None
    since_before: Instant | None = None


class FalloutListSearch(FalloutSearch):
    """The same, and which part of all that is found."""

    sort: Annotated[
        str,
        Field(
            max_length=200,
            description=f"`-attempts,since`: any of {', '.join(sort.value for sort in FalloutSort)}; the oldest first "
            "unless said",
        ),
        AfterValidator(_sorts),
    ] = ""
    offset: Annotated[int, Field(ge=0, lt=2**31)] = 0
    limit: Annotated[int, Field(ge=1, le=1000)] = 100


class HandResponse(ResponseModel):
    """What was done about a fallout: by which `change` of its order, and who asked for that."""

    what: FalloutEnd
    change: str
    by: str
    at: str


class ListedFallout(ResponseModel):
    """A call that a person is needed for; `href` has it with its story, `orderHref` its order.

    `meaning` says in plain words what is wrong, and `meaningWording` the same for other languages. `severity` and the
    texts, by language, are the catalog's. `key` is the idempotency key of the call refused last, `attempts` how often
    it was made in vain, each time with the whole retry budget of its silo. `behind` are the first tasks that wait for
    it, `hand` what was done about it last. `promisedAt` and `inJeopardy` are its order's. The id stays the same until
    it is over: what is refused after that is another fallout.
    """

    id: str
    href: str
    state: FalloutState
    order_id: str
    order_href: str
    external_id: str
    customer_id: str
    channel: str
    revision: int
    items: tuple[str, ...]
    more_items: int
    offerings: tuple[str, ...]
    site: str | None
    task: str
    title: str
    key: str
    silo: str
    operation: str
    verb: Verb
    code: str
    reason: str
    meaning: str
    meaning_wording: Wording
    severity: Severity | None
    for_agents: dict[str, str]
    for_customers: dict[str, str]
    attempts: int
    since: InstantOut
    refused_at: InstantOut
    behind: tuple[str, ...]
    more_behind: int
    promised_at: InstantOut | None
    expected_at: InstantOut | None
    in_jeopardy: bool
    claimed_by: str | None
    claimed_at: InstantOut | None
    group: str | None
    hand: HandResponse | None
    over_at: InstantOut | None
    ended: FalloutEnd | None


class ListedFallouts(ResponseModel):
    """A page of fallout, the oldest first unless asked for otherwise. `nextOffset` is null on the last one."""

    fallout: tuple[ListedFallout, ...]
    total: int
    next_offset: int | None


class StoryResponse(ResponseModel):
    """An entry of a fallout's story: claimed, handedOver, released, noted, by whom, and what was said."""

    at: InstantOut
    kind: str
    by: str
    given_to: str | None
    note: str


class WayResponse(OptionResponse):
    """A way to set a fallout right, and in `words` what it would do; see an order's options for the rest.

    `wordsWording` is the same for other languages. The `request` with what it `takes` is posted to `href`; with
    `?dryRun=true` it is previewed.
    """

    way: Way
    words: str
    words_wording: Wording
    href: str
    request: dict[str, JsonValue]


class FalloutStoryResponse(ListedFallout):
    """A fallout with its story, which care agents see: what people did with it, in that order, and said about it.

    `ways` are those to set it right: null where they cannot be told now, or where others have to see to it.
    """

    ways: tuple[WayResponse, ...] | None
    story: tuple[StoryResponse, ...]


class FalloutGroupResponse(ResponseModel):
    """All fallout of one silo, operation and code.

    `atRisk` are the orders that are expected later than promised, `severity` is the gravest that there is.
    """

    silo: str
    operation: str
    code: str
    count: int
    orders: int
    at_risk: int
    claimed: int
    severity: Severity | None
    oldest: InstantOut


class FalloutSummaryResponse(ResponseModel):
    """Fallout by silo, operation and code, the largest groups first, and how much and how many there are in all."""

    groups: tuple[FalloutGroupResponse, ...]
    total: int
    total_groups: int


Note = Annotated[Text, Field(max_length=LONGEST_TEXT)]


class ClaimBody(TmfBody):
    """Somebody sees to a fallout. Who that is the token says; `requester` counts where no tokens are asked for."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    requester: Name = ""


class ReleaseBody(ClaimBody):
    """Somebody does not see to it any more, and may say why."""

    note: Note = ""


class HandoverBody(ClaimBody):
    """It is for another person, or for a group of whom somebody is to claim it."""

    to: Annotated[Name, Field(min_length=1)] | None = None
    group: Annotated[Name, Field(min_length=1)] | None = None
    note: Note = ""

    @model_validator(mode="after")
    def _says_to_whom(self) -> HandoverBody:
        if self.to is None and self.group is None:
            raise ValueError("says neither to whom, nor to which group")
        return self


class NoteBody(ClaimBody):
    """What somebody wants others to know."""

    note: Annotated[Note, Field(min_length=1)]
