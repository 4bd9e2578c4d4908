"""Durability: every change is one line of a file, written before the call is answered, and read again at the start.

A line reaches the operating system in one write, so that killing the process loses nothing that was answered. It is
not forced onto the disk: these are simulated silos, and a power cut ends the simulation.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import ConfigDict, ValidationError

from simulated_silos.faults import Faults
from simulated_silos.profiles import Milliseconds
from simulated_silos.silo.model import Change, Frozen, JournalEntry
from simulated_silos.silo.slots import SlotNumber

FILE_NAME = "silos.jsonl"


class Pace(Frozen):
    """How long asynchronous work takes; None is until told."""

    model_config = ConfigDict(strict=True)

    completes_after_ms: Milliseconds | None


class Steering(Frozen):
    """What a tester set: one of the three, or cleared it. Faults of an `order` are met by its calls alone."""

    kind: Literal["faults", "pace", "slots"]
    faults: Faults | None = None
    order: str | None = None
    pace: Pace | None = None
    slots: SlotNumber | None = None


class Record(Frozen):
    """One line: what changed in one silo (`*`: in all of them), and what the journal says of it.

    `steering` is set where faults and pace were; None of either then means that it was cleared.
    """

    silo: str
    change: Change | None = None
    entries: tuple[JournalEntry, ...] = ()
    steering: Steering | None = None


class StoreError(Exception):
    """A file that cannot be read: names file and line."""


class Store:
    """A file of records in a directory, which is made if need be; without a directory nothing is kept."""

    def __init__(self, data_dir: Path | None) -> None:
        self._path = data_dir / FILE_NAME if data_dir else None
        self._file: int | None = None
        if self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)

    def read(self) -> Iterator[Record]:
        """All records, oldest first. A last line that was cut off in the middle is dropped, also from the file.

        Raises:
            StoreError: if any other line cannot be read.
        """
        if self._path is None or self._file is None:
            return
        whole = 0
        with self._path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if not line.endswith(b"\n"):
                    break
                try:
                    yield Record.model_validate_json(line)
                except ValidationError as reason:
                    raise StoreError(f"{self._path.name}, line {number}: {reason}") from reason
                whole += len(line)
        os.ftruncate(self._file, whole)

    def append(self, record: Record) -> None:
        """Write a record down."""
        if self._file is None:
            return
        rest = memoryview(record.model_dump_json(exclude_defaults=True).encode() + b"\n")
        while rest:
            rest = rest[os.write(self._file, rest) :]

    def clear(self) -> None:
        """Forget everything."""
        if self._file is not None:
            os.ftruncate(self._file, 0)

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
