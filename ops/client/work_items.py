"""`orderpipe work-items`: what people are asked to do, and telling what became of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from pydantic import BaseModel, JsonValue
from rich.console import Console
from rich.text import Text

from api.care.fallout.work_bodies import FormField, ListedWorkItem, WorkItemResponse
from ops.client.door import Door, Sought
from ops.client.order_screen import rigid_table
from ops.terminal import CommandError
from orders.model.instants import instant
from orders.model.values import Verb
from orders.read_model.answer_words import moment
from orders.read_model.work_state import WorkState

_DOES: Final = {Verb.PROVISION: "", Verb.AMEND: "change", Verb.COMPENSATE: "undo"}


def now() -> str:
    """This instant."""
    return instant(datetime.now(UTC))


def states(word: str) -> tuple[str, ...]:
    """The states that a word asks for.

    Raises:
        CommandError: if there is no such word.
    """
    known = {**{state.value: (state.value,) for state in WorkState}, "all": tuple(state.value for state in WorkState)}
    if word not in known:
        raise CommandError(f"{word} is no state of work items: there are {', '.join(known)}")
    return known[word]


def outputs_of(given: Sequence[str]) -> dict[str, JsonValue]:
    """Outputs as they are written: `NAME=VALUE`, where what is no JSON is text.

    Raises:
        CommandError: if one is not of that form.
    """
    outputs: dict[str, JsonValue] = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not (name and equals):
            raise CommandError(f"{each} is no output: they are written NAME=VALUE")
        try:
            outputs[name] = json.loads(value)
        except ValueError:
            outputs[name] = value
    return outputs


async def show_work_items(door: Door, search: Mapping[str, Sought], console: Console, *, as_json: bool) -> None:
    """List work items."""
    page = await door.work_items(search)
    if as_json:
        _print_json(page, console)
        return
    if page.work_items:
        console.print(
            rigid_table(("id", "due", "who", "what", "title"), [_row(item) for item in page.work_items]),
            soft_wrap=True,
        )
    left = page.total - len(page.work_items)
    console.print(
        f"{page.total} in all" + (f", {left} more than are shown: see --limit" if left else ""), highlight=False
    )


async def show_work_item(
    door: Door, work: str, act: Mapping[str, JsonValue] | None, console: Console, *, as_json: bool
) -> None:
    """Do something about a work item, if that is asked for, and show it."""
    item = await door.work_item(
        work, None if act is None else {name: value for name, value in act.items() if value != ""}
    )
    if as_json:
        _print_json(item, console)
        return
    for line in _lines(item):
        console.print(line, highlight=False, soft_wrap=True)


def _row(item: ListedWorkItem) -> tuple[str | Text, ...]:
    due = "" if item.due_at is None else moment(item.due_at)
    who = item.claimed_by or item.group or ""
    what = _DOES[item.verb] if item.state is WorkState.OPEN else item.state.value
    return item.id, due, who, what, item.title


def _lines(item: WorkItemResponse) -> Iterator[Text]:
    does = _DOES[item.verb]
    yield Text.assemble((f"{does}: " if does else "", "bold"), (item.title, "bold"), f"  {item.state.value}")
    who = f"{item.claimed_by} has it" if item.claimed_by else "nobody has it"
    due = "" if item.due_at is None else f", due {moment(item.due_at)}"
    yield Text(f"  {item.id}, order {item.order_id}{due}, {who}{f', for {item.group}' if item.group else ''}")
    for line in item.instructions.rstrip().replace("\\n", "\n").splitlines():  # The door quotes them.
        yield Text(f"  {line}")
    for name, value in item.inputs.items():
        yield Text(f"  {name}: {json.dumps(value, ensure_ascii=False)}")
    for name, field in item.form.items():
        given = item.outputs.get(name)
        yield Text(
            f"  {name} = {_form(field) if given is None else json.dumps(given, ensure_ascii=False)}", style="cyan"
        )
    for entry in item.story:
        told = "".join(f" {word}" for word in (entry.given_to, entry.note) if word)
        yield Text(f"  {moment(entry.at)}  {entry.by}: {entry.kind}{told}", style="dim")


def _form(field: FormField) -> str:
    possible = "" if field.values is None else f", one of {', '.join(map(str, field.values))}"
    return f"({field.type}{'' if field.required else ', may be left out'}{possible})"


def _print_json(told: BaseModel, console: Console) -> None:
    """For another program: one line."""
    console.print(told.model_dump_json(by_alias=True), highlight=False, markup=False, soft_wrap=True)
