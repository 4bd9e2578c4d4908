"""What the care API takes and tells of work items: what people are asked to do for an order."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator
from pydantic.alias_generators import to_camel

from api.care.customers.customer_bodies import Word
from api.care.fallout.fallout_bodies import ClaimBody, Note, StoryResponse
from api.tmf.response_model import ResponseModel
from api.tmf.times import InstantOut
from orders.model.instants import Instant
from orders.model.values import Verb
from orders.model.writing.json_values import JsonObject
from orders.model.writing.text import Line, Name
from orders.read_model.work_state import WorkState


class WorkSearch(BaseModel):
    """What work items are looked for by; all of it has to hold. Without `state` those that are open."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid")

    state: list[WorkState] = []
    order: Word | None = None
    silo: Word | None = None
    operation: Word | None = None
    group: Word | None = None
    claimed: bool | None = None
    claimed_by: Word | None = None
    due_before: Instant | None = None
    offset: Annotated[int, Field(ge=0, lt=2**31)] = 0
    limit: Annotated[int, Field(ge=1, le=1000)] = 100


class FormField(ResponseModel):
    """A value that is to be given back: its type, and which values are possible."""

    type: str
    required: bool
    values: tuple[JsonValue, ...] | None
    minimum: int | None
    maximum: int | None
    pattern: str | None
    description: str


class ListedWorkItem(ResponseModel):
    """What somebody is asked to do; `href` has it with its story.

    `verb` says whether a thing is to be made (`provision`), changed (`amend`) or undone (`compensate`). `inputs` are
    what it is to be, `form` what is to be given back, `outputs` what was. `begunAt` is when somebody first had it: what
    was never begun falls away once it is not wanted any more.
    """

    id: str
    href: str
    state: WorkState
    verb: Verb
    title: str
    instructions: str
    silo: str
    operation: str
    order_id: str
    order_href: str
    inputs: dict[str, JsonValue]
    form: dict[str, FormField]
    outputs: dict[str, JsonValue]
    code: str
    reason: str
    group: str | None
    claimed_by: str | None
    claimed_at: InstantOut | None
    opened_at: InstantOut
    due_at: InstantOut | None
    begun_at: InstantOut | None
    over_at: InstantOut | None


class ListedWorkItems(ResponseModel):
    """A page of work items, what is due first comes first. `nextOffset` is null on the last one."""

    work_items: tuple[ListedWorkItem, ...]
    total: int
    next_offset: int | None


class WorkItemResponse(ListedWorkItem):
    """A work item with its story: what its order asked for, what people did and said, in that order."""

    story: tuple[StoryResponse, ...]


class WorkItemPatch(ClaimBody):
    """One of: have it (`claimed`), or no more; give it `to` somebody or to a `group`; end it (`state`); only a `note`.

    Done with `outputs` that fit its form, refused with a `reason`, and a `code` for programs. A `note` goes with any.
    """

    claimed: bool | None = None
    to: Annotated[Name, Field(min_length=1)] | None = None
    group: Annotated[Name, Field(min_length=1)] | None = None
    state: Literal[WorkState.DONE, WorkState.REFUSED] | None = None
    outputs: JsonObject = {}
    code: Annotated[Name, Field(max_length=100)] = ""
    reason: Line = ""
    note: Note = ""

    @model_validator(mode="after")
    def _is_one_act(self) -> WorkItemPatch:
        handed = self.to is not None or self.group is not None
        acts = sum((self.claimed is not None, handed, self.state is not None))
        if acts > 1 or (acts == 0 and not self.note):
            raise ValueError("says nothing of claimed, to or group, state, or note; or of more than one but note")
        if self.outputs and self.state is not WorkState.DONE:
            raise ValueError("outputs are of what is done")
        if (self.state is WorkState.REFUSED) != bool(self.reason):
            raise ValueError("what is refused has a reason, and nothing else has")
        if self.code and self.state is not WorkState.REFUSED:
            raise ValueError("a code is of what is refused")
        return self
