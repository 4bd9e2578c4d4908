"""What is told to other programs."""

from __future__ import annotations

from pydantic import BaseModel
from rich.console import Console


def print_json(told: BaseModel, console: Console) -> None:
    """For another program: one line."""
    console.print(told.model_dump_json(by_alias=True), highlight=False, markup=False, soft_wrap=True)
