"""`orderpipe demand`: what silos will be asked for, and what runs out."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console
from rich.text import Text

from ops.client.door import Door, Sought
from ops.client.order_screen import rigid_table

_COLUMNS = ("day", "likely", "safe", "asked", "there", "left", "place", "kind", "what")


async def show_demand(door: Door, search: Mapping[str, Sought], console: Console, *, form: str) -> None:
    """Show demand as a table, as CSV or (`json`) for another program."""
    if form == "csv":
        console.print(await door.demand_csv(search), highlight=False, markup=False, soft_wrap=True, end="")
        return
    found = await door.demand(search)
    if form == "json":
        console.print(found.model_dump_json(by_alias=True), highlight=False, markup=False, soft_wrap=True)
        return
    rows = [
        (
            str(line.day),
            str(line.likely),
            str(line.safe),
            str(line.asked),
            "" if line.capacity is None else str(line.capacity),
            Text("" if line.left is None else str(line.left), style="red" if (line.left or 0) < 0 else ""),
            line.place,
            line.kind,
            line.title,
        )
        for line in found.lines
    ]
    console.print(rigid_table(_COLUMNS, rows) if rows else Text("Nothing is asked for in these days."))
    for short in found.shortages:
        where = ", ".join(each for each in (short.kind, short.place) if each)
        what = f"{short.title} ({where})" if where else short.title
        console.print(Text(f"{short.runs_out}: {what} runs out, {short.short_of} short", style="red"), soft_wrap=True)
    if found.behind:
        console.print(Text(f"{found.behind} orders are still to be looked at: ask again.", style="yellow"))
