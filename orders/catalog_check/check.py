"""Whether a catalog makes sense as a whole: what its models cannot say by themselves.

Reading finds what is wrong in form (`catalog_loader`); this finds names that lead nowhere, values that can never be,
tasks that never run or wait for themselves. The rules about tasks stand in `orders.catalog_check.tasks`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from datetime import timedelta

from pydantic import JsonValue

from orders.catalog_check.capacities import capacity_problems
from orders.catalog_check.characteristics import characteristic_problems
from orders.catalog_check.http_silos import http_problems
from orders.catalog_check.manual_silos import manual_problems
from orders.catalog_check.rules import rule_problems
from orders.catalog_check.tasks import Problem, sold, task_problems
from orders.model.catalog import (
    BundleComponent,
    Catalog,
    Polling,
    ProductOffering,
    ProductSpecification,
    Protocol,
    Silo,
)
from orders.planning.items import value_problem
from orders.promising.calendars import problem_of

__all__ = ["Problem", "problems"]


def problems(catalog: Catalog) -> list[Problem]:
    """Everything in the catalog that makes no sense. Empty for a sound one."""
    found: list[Problem] = []
    for silo in catalog.silos.values():
        wrong = (*_silo(silo), *http_problems(catalog, silo), *manual_problems(catalog, silo))
        found += (Problem(f"silos.{silo.name}.{field}", reason) for field, reason in wrong)
    for specification in catalog.specifications.values():
        found += _specification(catalog, specification)
    for offering in catalog.offerings.values():
        found += _offering(catalog, offering)
    for capacity in catalog.capacities.values():
        wrong = capacity_problems(catalog, capacity)
        found += (Problem(f"capacities.{capacity.name}.{field}", reason) for field, reason in wrong)
    return found + task_problems(catalog)


def _silo(silo: Silo) -> Iterator[tuple[str, str]]:
    nothing = timedelta()
    has_none = silo.protocol is Protocol.MANUAL and not silo.address
    if not has_none and not re.fullmatch(r"(https?://[^/\s]+(/\S*)?)|(/\S*)", silo.address):
        yield "address", f"{silo.address!r} is neither http(s)://… nor a path that begins with /"
    if not math.isfinite(silo.rate_per_second):
        yield "rate_per_second", "must be finite"
    if silo.call_timeout <= nothing:
        yield "call_timeout", "must be more than nothing"
    if silo.retry_budget.first_pause <= nothing:
        yield "retry_budget.first_pause", "must be more than nothing"
    if silo.retry_budget.first_pause > silo.retry_budget.longest_pause:
        yield "retry_budget", "the first pause is longer than the longest"
    if silo.polling.first is not None and silo.polling.first <= nothing:
        yield "polling.first", "must be more than nothing"
    if silo.polling.longest <= nothing:
        yield "polling.longest", "must be more than nothing"
    if silo.polling.first is not None and silo.polling.first > silo.polling.longest:
        yield "polling", "the first pause is longer than the longest"
    yield from rule_problems(silo)
    wrong = problem_of(silo.hours) if silo.hours is not None else None
    if wrong is not None:
        yield "hours", wrong
    if silo.polling != Polling() and silo.answers_at_once:
        yield "polling", f"{silo.protocol} answers at once: there is nothing to poll for"


def _specification(catalog: Catalog, specification: ProductSpecification) -> Iterator[Problem]:
    path = f"specifications.{specification.name}"
    includers = [other.name for other in catalog.specifications.values() if specification.name in other.includes]
    if specification.role is None:
        if not includers:
            yield Problem(path, "nothing includes it, and without a role it cannot be sold: its tasks never run")
        for name in specification.characteristics:
            yield Problem(
                f"{path}.characteristics.{name}",
                "has no effect: a product has the characteristics of the specification that is sold, "
                "not of those that it includes",
            )
        if specification.site == "required":
            yield Problem(f"{path}.site", "has no effect: only the specification that is sold says so")
    elif not sold(catalog, specification):
        yield Problem(path, "no offering sells it: its tasks never run")
    for n, name in enumerate(specification.includes):
        reason = _include(catalog, specification, name)
        if reason:
            yield Problem(f"{path}.includes.{n}", reason)
        elif name in specification.includes[:n]:
            yield Problem(f"{path}.includes.{n}", f"{name} is included twice")
    for name, declared in specification.characteristics.items():
        for field, reason in characteristic_problems(declared):
            yield Problem(f"{path}.characteristics.{name}{field}", reason)


def _include(catalog: Catalog, specification: ProductSpecification, name: str) -> str | None:
    other = catalog.specifications.get(name)
    if other is None:
        return f"there is no specification {name!r}"
    if other is specification:
        return "includes itself"
    if other.role is not None:
        return f"{name} has the role {other.role}: it is a product of its own, to be relied on, not included"
    if other.includes:
        return f"{name} includes others itself: include those here as well, and let it include nothing"
    return None


def _offering(catalog: Catalog, offering: ProductOffering) -> Iterator[Problem]:
    path = f"offerings.{offering.name}"
    currencies = sorted({price.currency for price in offering.prices})
    if len(currencies) > 1:
        yield Problem(f"{path}.prices", f"are in different currencies: {', '.join(currencies)}")
    if offering.specification is not None:
        specification = catalog.specifications.get(offering.specification)
        if specification is None:
            yield Problem(f"{path}.specification", f"there is no specification {offering.specification!r}")
            return
        if specification.role is None:
            reason = f"{specification.name} has no role: it is only there to be included"
            yield Problem(f"{path}.specification", reason)
        for name, value in offering.characteristics.items():
            reason = _fixed(specification, name, value)
            if reason:
                yield Problem(f"{path}.characteristics.{name}", reason)
    else:
        for name in offering.characteristics:
            yield Problem(f"{path}.characteristics.{name}", "has no effect: a bundle's components have characteristics")
    for role, component in offering.bundle.items():
        for field, reason in _component(catalog, role, component):
            yield Problem(f"{path}.bundle.{role}.{field}", reason)


def _fixed(specification: ProductSpecification, name: str, value: JsonValue) -> str | None:
    declared = specification.characteristics.get(name)
    if declared is None:
        return f"{specification.name} has no such characteristic"
    if value is None:
        return f"{specification.name} requires a value" if declared.required else None
    return value_problem(declared, value)


def _component(catalog: Catalog, role: str, component: BundleComponent) -> Iterator[tuple[str, str]]:
    for n, name in enumerate(component.offerings):
        offering = catalog.offerings.get(name)
        if offering is None:
            yield f"offerings.{n}", f"there is no offering {name!r}"
        elif offering.bundle:
            yield f"offerings.{n}", f"{name} is a bundle itself: name its components' offerings"
        else:
            specification = catalog.specifications.get(offering.specification or "")
            if specification is not None and specification.role != role:
                yield f"offerings.{n}", f"{name} has the role {specification.role}, not {role}"
    if component.default is not None and component.default not in component.offerings:
        yield "default", f"{component.default} is not among the component's offerings"
