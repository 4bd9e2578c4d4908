"""The catalog on disk: reading it from YAML with every problem named, and keeping the versions that open orders use."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeVar

from pydantic import BaseModel, JsonValue, ValidationError

from catalog_loader.catalog_yaml import FileProblem, YamlFile, YamlPath
from orders.catalog_check.check import problems
from orders.model.catalog import Catalog, ProductOffering, ProductSpecification, Silo
from orders.model.silos.capacity import Capacity

_Entry = TypeVar("_Entry", bound=BaseModel)

MESSAGES: Final = "messages"
"""The folder of what customers are told, which `catalog_loader.messages` reads: no order depends on that."""


class CatalogError(Exception):
    """A catalog that cannot be used. Holds every problem that was found."""

    def __init__(self, found: list[FileProblem]) -> None:
        super().__init__("\n".join(str(problem) for problem in found))
        self.problems = tuple(found)


class UnknownCatalogVersion(LookupError):
    """A catalog version that was never kept here, or whose file is damaged."""


def read_catalog(folder: Path) -> Catalog:
    """The catalog in all `*.yaml` files below a folder.

    A file has any of the keys `silos`, `capacities`, `specifications` and `offerings`, each a map by name. Short
    forms: an input may be its plain value, a dependency just the name of a task.

    Raises:
        CatalogError: with all that is wrong in form, and if all is right in form, all that makes no sense.
    """
    reading = _Reading(folder)
    for file in sorted(folder.rglob("*.yaml")):
        if not file.is_relative_to(folder / MESSAGES):
            reading.read(file)
    for file in sorted(folder.rglob("*.yml")):
        reading.refuse(file, "is not read: catalog files are named *.yaml")
    return reading.catalog()


class _Reading:
    """The files read so far, and where each entry stands."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.found: list[FileProblem] = []
        self.sources: dict[YamlPath, YamlFile] = {}
        self.silos: dict[str, Silo] = {}
        self.capacities: dict[str, Capacity] = {}
        self.specifications: dict[str, ProductSpecification] = {}
        self.offerings: dict[str, ProductOffering] = {}

    def catalog(self) -> Catalog:
        if not self.sources and not self.found:
            self.found.append(FileProblem(str(self.folder), "", "there is no catalog here: no *.yaml with entries"))
        if self.found:
            raise CatalogError(self.found)
        catalog = Catalog(
            silos=self.silos,
            capacities=self.capacities,
            specifications=self.specifications,
            offerings=self.offerings,
        )
        self.found += [
            self.sources[tuple(problem.path.split(".")[:2])].problem(tuple(problem.path.split(".")), problem.reason)
            for problem in problems(catalog)
        ]
        if self.found:
            raise CatalogError(self.found)
        # As the store would give it back, so that plans are alike to the last order of keys, whoever makes them.
        return Catalog.model_validate_json(catalog.canonical())

    def refuse(self, file: Path, reason: str) -> None:
        self.found.append(FileProblem(file.relative_to(self.folder).as_posix(), "", reason))

    def read(self, file: Path) -> None:
        source = YamlFile(file.relative_to(self.folder).as_posix())
        try:
            content = source.load(file.read_text(encoding="utf-8"))
        except UnicodeDecodeError as error:
            self.refuse(file, f"is not UTF-8: {error}")
            return
        self.found += source.found
        if content is None:
            return
        if not isinstance(content, dict):
            self.found.append(
                source.problem((), "the file must be a map with silos, capacities, specifications or offerings")
            )
            return
        for kind, entries in content.items():
            if kind not in ("silos", "capacities", "specifications", "offerings"):
                reason = "is none of silos, capacities, specifications, offerings"
                self.found.append(source.problem((kind,), reason))
            elif not isinstance(entries, dict):
                self.found.append(source.problem((kind,), "must be a map by name"))
            else:
                self._entries(source, kind, entries)

    def _entries(self, source: YamlFile, kind: str, entries: dict[str, JsonValue]) -> None:
        for name, entry in entries.items():
            path = (kind, name)
            if path in self.sources:
                self.found.append(source.problem(path, f"is already defined in {self.sources[path].place(path)}"))
                continue
            self.sources[path] = source
            if not isinstance(entry, dict):
                self.found.append(source.problem(path, "must be a map"))
                continue
            named = [(*path, "name")] if "name" in entry else []
            tasks = entry.get("tasks") if kind == "specifications" else None
            if isinstance(tasks, dict):
                named += [(*path, "tasks", key, "name") for key, task in tasks.items() if _has_name(task)]
            self.found += [source.problem(inner, "the key above is the name") for inner in named]
            if kind == "silos":
                self._add(self.silos, Silo, source, path, entry)
            elif kind == "capacities":
                self._add(self.capacities, Capacity, source, path, entry)
            elif kind == "specifications":
                self._add(self.specifications, ProductSpecification, source, path, _long_form(entry))
            else:
                self._add(self.offerings, ProductOffering, source, path, entry)

    def _add(
        self, to: dict[str, _Entry], model: type[_Entry], source: YamlFile, path: YamlPath, entry: dict[str, JsonValue]
    ) -> None:
        try:
            to[path[1]] = model.model_validate({**entry, "name": path[1]})
        except ValidationError as error:
            for detail in error.errors(include_url=False, include_context=False, include_input=False):
                inner = tuple(str(part) for part in detail["loc"] if part != "[key]")
                # A name is its entry's key: the problem is the key's.
                inner = inner[:-1] if inner[-1:] == ("name",) else inner
                self.found.append(source.problem((*path, *inner), detail["msg"].removeprefix("Value error, ")))


def _has_name(entry: JsonValue) -> bool:
    return isinstance(entry, dict) and "name" in entry


def _long_form(specification: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """The specification with each task's name put in and its short forms written out."""
    tasks = specification.get("tasks")
    if not isinstance(tasks, dict):
        return specification
    return {**specification, "tasks": {name: _long_task(name, task) for name, task in tasks.items()}}


def _long_task(name: str, task: JsonValue) -> JsonValue:
    if not isinstance(task, dict):
        return task
    long: dict[str, JsonValue] = {**task, "name": name}
    inputs, edges, released = task.get("inputs"), task.get("depends_on"), task.get("release_after")
    if isinstance(inputs, dict):
        long["inputs"] = {
            key: given if isinstance(given, dict) and "value" in given else {"value": given}
            for key, given in inputs.items()
        }
    if isinstance(edges, list):
        long["depends_on"] = [{"task": edge} if isinstance(edge, str) else edge for edge in edges]
    if isinstance(released, list):
        long["release_after"] = [{"task": edge} if isinstance(edge, str) else edge for edge in released]
    return long


class CatalogStore:
    """The catalog versions in use, one file `<digest>.json` each. Any number of processes may share the folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._loaded: dict[str, Catalog] = {}

    def __reduce__(self) -> tuple[type[CatalogStore], tuple[Path]]:
        """In another process it is the same folder."""
        return CatalogStore, (self._folder,)

    def keep(self, catalog: Catalog) -> str:
        """Keep a version, for good. Gives its digest."""
        digest, content = catalog.digest, catalog.canonical().encode()
        file = self._file(digest)
        if not file.exists() or file.read_bytes() != content:
            self._folder.mkdir(parents=True, exist_ok=True)
            _write(file, content)
        self._loaded.setdefault(digest, catalog)
        return digest

    def kept_since(self, digest: str) -> datetime:
        """When the version of that digest was first kept here.

        Raises:
            UnknownCatalogVersion: if it was never kept in this folder.
        """
        try:
            return datetime.fromtimestamp(self._file(digest).stat().st_mtime, UTC)
        except OSError as error:
            raise UnknownCatalogVersion(f"catalog version {digest} is not kept in {self._folder}") from error

    def load(self, digest: str) -> Catalog:
        """The version of that digest.

        What is checked is the file, not the models made of it: a version outlives releases that add fields to them.

        Raises:
            UnknownCatalogVersion: if it was never kept in this folder, or its file is damaged.
        """
        if digest not in self._loaded:
            try:
                content = self._file(digest).read_bytes()
            except OSError as error:
                raise UnknownCatalogVersion(f"catalog version {digest} is not in {self._folder}") from error
            if hashlib.sha256(content).hexdigest()[: len(digest)] != digest:
                raise UnknownCatalogVersion(f"the file of catalog version {digest} in {self._folder} is damaged")
            self._loaded[digest] = Catalog.model_validate_json(content)
        return self._loaded[digest]

    def _file(self, digest: str) -> Path:
        if not re.fullmatch(r"[0-9a-f]{16}", digest):
            raise UnknownCatalogVersion(f"{digest!r} is no digest of a catalog")
        return self._folder / f"{digest}.json"


def _write(file: Path, content: bytes) -> None:
    """Write a whole file or nothing, also when the machine stops half way."""
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.stem}-")
    try:
        with os.fdopen(handle, "wb") as temporary:
            temporary.write(content)
            temporary.flush()
            os.fsync(temporary.fileno())
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
