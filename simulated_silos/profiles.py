"""What each simulated silo does: `profiles.yaml`, read and checked."""

from __future__ import annotations

import functools
import os
from collections import defaultdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import AfterValidator, BaseModel, Field, ValidationError

from simulated_silos.silo.model import Frozen
from simulated_silos.silo.slots import SlotPlan

SHIPPED = Path(__file__).with_name("profiles.yaml")
CATALOG = Path(__file__).resolve().parents[1] / "catalog"

Milliseconds = Annotated[int, Field(ge=0)]


class ProfileError(ValueError):
    """A profile file that cannot be used: names file, path in it, and reason."""


class Protocol(StrEnum):
    """How a silo is talked to."""

    TMF640 = "tmf640"
    TMF641 = "tmf641"
    HTTP = "http"


def _counting(pattern: str) -> str:
    try:
        first, second = pattern.format(n=1), pattern.format(n=2)
    except (KeyError, IndexError, ValueError) as reason:
        raise ValueError(f"not a pattern of {{n}}: {pattern!r} ({reason!r})") from reason
    if first == second:
        raise ValueError(f"gives the same value twice: {pattern!r} has no {{n}}")
    return pattern


class Operation(Frozen):
    """An operation of a silo: patterns of its outputs by name, and which characteristics only one service can hold.

    `milestones`: which it reports on the way to what it makes, and after what share of the time that it takes.
    """

    outputs: dict[str, Annotated[str, AfterValidator(_counting)]] = {}
    exclusive: tuple[str, ...] = ()
    milestones: dict[str, Annotated[float, Field(ge=0, le=1)]] = {}


class Profile(Frozen):
    """A silo. `completes_after_ms`: how long asynchronous work takes; None is until told."""

    name: str
    protocol: Protocol = Protocol.TMF640
    keys: bool = True
    completes_after_ms: Milliseconds | None = 1000
    operations: dict[str, Operation] = {}
    slots: SlotPlan | None = None
    declared: dict[str, Operation] = {}

    def operation(self, name: str) -> Operation:
        """The operation of that name, full (`voice.line`) or short (`line`); one unknown is as `declared`, if it is."""
        known = self.operations.get(name) or self.operations.get(f"{self.name}.{name}")
        return known or self.declared.get(name.removeprefix(f"{self.name}.")) or Operation()

    def names(self, operation: str) -> tuple[str, str]:
        """The names under which steering may mean this operation."""
        return operation, f"{self.name}.{operation}"


class _Defaults(Frozen):
    completes_after_ms: Milliseconds | None = 1000


class _Entry(Frozen):
    protocol: Protocol = Protocol.TMF640
    keys: bool = True
    completes_after_ms: Milliseconds | None = None
    operations: dict[str, Operation] = {}
    slots: SlotPlan | None = None


class _File(Frozen):
    defaults: _Defaults = _Defaults()
    silos: dict[str, _Entry]


class Profiles:
    """All profiles of a file. `profile(name)` knows every silo: one that is not in the file gets the defaults."""

    def __init__(
        self,
        silos: dict[str, Profile],
        completes_after_ms: int | None = 1000,
        declared: dict[str, dict[str, Operation]] | None = None,
    ) -> None:
        self._silos = silos
        self._completes_after_ms = completes_after_ms
        self._declared = declared or {}

    @property
    def names(self) -> list[str]:
        """The silos of the file, in its order."""
        return list(self._silos)

    def profile(self, name: str) -> Profile:
        """The profile of a silo."""
        known = self._silos.get(name) or Profile(name=name, completes_after_ms=self._completes_after_ms)
        return known.model_copy(update={"declared": self._declared.get(name, {})})


@functools.cache
def shipped_profiles() -> Profiles:
    """The profiles that come with the silos, read once, and what the catalog declares of operations not in them."""
    return load_profiles(SHIPPED, declared_outputs(Path(os.environ.get("ORDERPIPE_CATALOG_DIR", CATALOG))))


class _Identity(BaseModel):
    asked_by: str | None = None


class _Task(BaseModel):
    silo: str
    operation: str
    outputs: tuple[str, ...] = ()
    identities: dict[str, _Identity] = {}


class _Specification(BaseModel):
    tasks: dict[str, _Task] = {}


class _CatalogFile(BaseModel):
    specifications: dict[str, _Specification] = {}


def declared_outputs(folder: Path) -> dict[str, dict[str, Operation]]:
    """By silo and operation, patterns for the outputs that the catalog in a folder declares.

    One by which a thing can be asked for, in an input of its name, is given out as asked for.

    What cannot be read is left out: whoever reads the catalog in earnest says what is wrong with it.
    """
    found: defaultdict[str, dict[str, Operation]] = defaultdict(dict)
    for file in sorted(folder.rglob("*.yaml")):
        try:
            content = _CatalogFile.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")) or {})
        except (yaml.YAMLError, ValidationError, UnicodeDecodeError):
            continue
        for specification in content.specifications.values():
            for task in specification.tasks.values():
                before = found[task.silo].get(task.operation, Operation())
                patterns = {name: f"{name.removesuffix('_id').upper()}-{{n:07d}}" for name in task.outputs}
                asked = (name for name, identity in task.identities.items() if identity.asked_by == name)
                found[task.silo][task.operation] = Operation(
                    outputs={**before.outputs, **patterns}, exclusive=tuple(dict.fromkeys((*before.exclusive, *asked)))
                )
    return dict(found)


def load_profiles(path: Path, declared: dict[str, dict[str, Operation]] | None = None) -> Profiles:
    """Read and check a file of profiles.

    Raises:
        ProfileError: naming the file, the path in it, and the reason.
    """
    try:
        file = _File.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except yaml.YAMLError as reason:
        raise ProfileError(f"{path.name}: not YAML: {reason}") from reason
    except ValidationError as reason:
        lines = [f"{path.name}: {'.'.join(map(str, e['loc'])) or '(top)'}: {e['msg']}" for e in reason.errors()]
        raise ProfileError("\n".join(lines)) from reason
    silos = {}
    for name, entry in file.silos.items():
        # A null that is written down means "until told"; only a silo that says nothing gets the default.
        given = "completes_after_ms" in entry.model_fields_set
        pace = entry.completes_after_ms if given else file.defaults.completes_after_ms
        silos[name] = Profile(
            name=name,
            protocol=entry.protocol,
            keys=entry.keys,
            completes_after_ms=pace,
            operations=entry.operations,
            slots=entry.slots,
        )
    return Profiles(silos, file.defaults.completes_after_ms, declared)
