"""Random small catalogs, orders and changes: products that share visits and an account, alone and in bundles."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from random import Random

from pydantic import JsonValue

from orders.catalog_check.check import problems
from orders.change.request import ChangeKind, ChangeRequest, ItemUpdate
from orders.model.catalog import (
    BundleComponent,
    Catalog,
    Characteristic,
    Dependency,
    EdgeKind,
    Identity,
    InputTemplate,
    OnChange,
    PointOfNoReturn,
    ProductOffering,
    ProductSpecification,
    Protocol,
    Replacement,
    Scope,
    Silo,
    TaskRef,
    TaskTemplate,
    Undo,
)
from orders.model.order import Item, RequestedItem, Revision, Site, Wishes
from orders.model.silos.rules import Rule, TryAgain
from orders.model.values import Action, Money
from orders.planning.installed import InstalledProduct
from tests.orders.support.world import MILESTONE

SITES = (Site(id="x", address={"city": "X"}), Site(id="y", address={"city": "Y"}))
FEE = Money(amount=Decimal("9.90"), currency="EUR")
_WISHES: dict[str, tuple[str, ...]] = {"status": ("suspended", "active"), "billing_account": ("a1", "a2")}
"""What is asked of products beside what they are made of."""
_MEANINGS = (OnChange.AMEND, OnChange.AMEND, OnChange.REPLACE, OnChange.KEEP)


def random_catalog(choose: Random) -> Catalog:
    """A sound catalog."""
    while True:
        catalog = _catalog(choose)
        if not problems(catalog):
            return catalog


def _catalog(choose: Random) -> Catalog:
    kinds = choose.randint(2, 4)
    specifications = {"shared": _shared(choose, kinds)}
    for kind in range(kinds):
        specifications[f"s{kind}"] = _specification(choose, kind, specifications)
    offerings = {f"o{kind}": _offering(f"o{kind}", kind) for kind in range(kinds)}
    offerings |= {f"p{kind}": _offering(f"p{kind}", kind, a=2) for kind in range(kinds)}
    roles = {
        f"r{kind}": BundleComponent(offerings=(f"o{kind}", f"p{kind}"), default=f"o{kind}") for kind in range(kinds)
    }
    for size in range(2, kinds + 1):
        name = f"bundle{size}"
        offerings[name] = ProductOffering(name=name, bundle=dict(list(roles.items())[:size]))
    silos = {
        "fast": Silo(name="fast", protocol=Protocol.TMF640, address="/fast", fees="fee", rules=_rules(choose)),
        "slow": Silo(name="slow", protocol=Protocol.TMF641, address="/slow", rules=_rules(choose)),
    }
    return Catalog(silos=silos, specifications=specifications, offerings=offerings)


def _rules(choose: Random) -> tuple[Rule, ...]:
    """Refusals of some codes are tried again, and so is what nobody knows the outcome of."""
    codes = tuple(code for code in ("no", "failed", "retry_budget_spent") if choose.random() < 0.3)
    again = TryAgain(after=timedelta(hours=1), times=choose.randint(1, 2))
    return (Rule(codes=codes, try_again=again),) if codes else ()


def _offering(name: str, kind: int, **fixed: JsonValue) -> ProductOffering:
    return ProductOffering(name=name, specification=f"s{kind}", characteristics=fixed)


def _shared(choose: Random, kinds: int) -> ProductSpecification:
    """Tasks that the products of an order have in common: an account, a visit to each site, a message at the end."""

    def of_all(task: str, kind: EdgeKind) -> tuple[Dependency, ...]:
        return tuple(
            Dependency.model_validate(
                {"task": task, "of": f"r{number}", "as": f"x{number}", "kind": kind, "optional": True}
            )
            for number in range(kinds)
            if choose.random() < 0.6
        )

    at_site = of_all("t0", EdgeKind.BUILDS_ON)
    visit = TaskTemplate(
        name="visit",
        title="visit",
        silo="slow",
        operation="visit",
        scope=Scope.SITE,
        on_change_of=choose.choice(((), ("site",), ("site", "a"))),
        depends_on=at_site,
        inputs={
            "products": InputTemplate(value="${each.id}", on_change=choose.choice(_MEANINGS)),
            "values": InputTemplate(value="${each.char.a}", on_change=choose.choice(_MEANINGS)),
            **{ref.alias: InputTemplate(value=f"${{{ref.alias}.out}}") for ref in at_site if choose.random() < 0.5},
        },
        outputs=("out",),
        amend_while_waiting=choose.random() < 0.5,
        undo=choose.choice((Undo.ALWAYS, Undo.UNTIL_DONE)),
        replacement=choose.choice(list(Replacement)),
        point_of_no_return=_point(choose),
    )
    open_account = TaskTemplate(
        name="open",
        title="open",
        silo="fast",
        operation="account",
        scope=Scope.ORDER,
        inputs={"customer": InputTemplate(value="${order.customer}")},
        outputs=("out",),
    )
    message = TaskTemplate(
        name="message",
        title="message",
        silo="fast",
        operation="message",
        scope=Scope.ORDER,
        depends_on=of_all("t0", EdgeKind.AFTER),
        inputs={"products": InputTemplate(value="${each.id}", on_change=OnChange.KEEP)},
        undo=Undo.NEVER,
    )
    return ProductSpecification(name="shared", tasks={task.name: task for task in (open_account, visit, message)})


def _specification(choose: Random, kind: int, earlier: dict[str, ProductSpecification]) -> ProductSpecification:
    tasks: dict[str, TaskTemplate] = {}
    size = choose.randint(1, 3)
    for number in range(size):
        tasks[f"t{number}"] = _template(choose, kind, number, list(tasks.values()), earlier, last=number == size - 1)
    numbers = Characteristic(type="integer", minimum=0, maximum=2, default=0)
    return ProductSpecification(
        name=f"s{kind}",
        role=f"r{kind}",
        site="required",
        includes=("shared",),
        characteristics={"a": numbers, "b": numbers, "box": Characteristic(type="boolean", default=False)},
        tasks=tasks,
    )


def _template(
    choose: Random,
    kind: int,
    number: int,
    own: list[TaskTemplate],
    earlier: dict[str, ProductSpecification],
    *,
    last: bool,
) -> TaskTemplate:
    edges: list[dict[str, JsonValue]] = [
        {"task": before.name, "optional": bool(before.when)} for before in own if choose.random() < 0.7
    ]
    for other in range(kind):
        if number > 0 and choose.random() < 0.5:
            task = choose.choice([name for name, each in earlier[f"s{other}"].tasks.items() if not each.when])
            edges.append({"task": task, "of": f"r{other}", "as": f"x{other}", "optional": choose.random() < 0.5})
    if number > 0 and choose.random() < 0.3:
        edges.append({"task": choose.choice(("shared/open", "shared/visit")), "as": "common"})
    for edge in edges:
        edge["kind"] = choose.choice((EdgeKind.BUILDS_ON, EdgeKind.BUILDS_ON, EdgeKind.AFTER))
    depends_on = tuple(Dependency.model_validate(edge) for edge in edges)
    by_item = last and number > 0 and choose.random() < 0.3
    inputs = {name: f"${{char.{name}}}" for name in "ab" if choose.random() < 0.7}
    inputs["who"] = "${each.id}" if by_item else choose.choice(("${product.id}", "${product.offering}"))
    if not by_item:
        inputs |= {name: f"${{product.{name}}}" for name in _WISHES if choose.random() < 0.6}
    inputs |= {ref.alias: f"${{{ref.alias}.out}}" for ref in depends_on if choose.random() < 0.6}
    break_before_make = choose.random() < 0.4
    slow = choose.random() < 0.3
    return TaskTemplate(
        name=f"t{number}",
        title=f"t{number}",
        silo="slow" if slow else "fast",
        operation="op",
        scope=Scope.ITEM if by_item else Scope.PRODUCT,
        when={"box": True} if number > 0 and not last and choose.random() < 0.3 else {},
        depends_on=depends_on,
        inputs={
            name: InputTemplate(
                value=value,
                on_change=OnChange.KEEP if name == "who" else choose.choice(_MEANINGS),
                by_hand=name in "ab" and choose.random() < 0.4,
            )
            for name, value in inputs.items()
        },
        outputs=("out",),
        identities=_identities(choose, shared=by_item),
        replacement=Replacement.BREAK_BEFORE_MAKE if break_before_make else Replacement.MAKE_BEFORE_BREAK,
        release_after=tuple(TaskRef(task=f"t{number + 1}") for _ in range(1) if not last and choose.random() < 0.3),
        amend_while_waiting=slow and choose.random() < 0.5,
        point_of_no_return=_point(choose) if slow else None,
    )


def _identities(choose: Random, *, shared: bool) -> dict[str, Identity]:
    if choose.random() > 0.4:
        return {}
    return {"out": Identity(asked_by=choose.choice(("out", None)), keep=shared or choose.random() < 0.4)}


def _point(choose: Random) -> PointOfNoReturn | None:
    on_the_way = {"milestone": MILESTONE, "reached_after": timedelta(seconds=30)} if choose.random() < 0.5 else {}
    hard = PointOfNoReturn.model_validate({"kind": "hard", **on_the_way})
    soft = PointOfNoReturn.model_validate({"kind": "soft", "fee": FEE, **on_the_way})
    return choose.choice((None, None, hard, soft, soft, soft))


def random_items(choose: Random, catalog: Catalog, revision: Revision | None, prefix: str) -> list[RequestedItem]:
    """One to three items, some of which rely on each other or on those of the revision."""
    known = [item.id for item in revision.items] if revision else []
    items: list[RequestedItem] = []
    for number in range(choose.randint(1, 3)):
        offering = choose.choice(list(catalog.offerings))
        bundle = bool(catalog.offerings[offering].bundle)
        items.append(
            RequestedItem(
                id=f"{prefix}{number}",
                offering=offering,
                quantity=1 if bundle else choose.choice((1, 1, 2, 3)),
                site=choose.choice(SITES),
                characteristics={} if bundle else _values(choose, offering),
                relies_on=tuple(other for other in known if choose.random() < 0.4),
            )
        )
        known.append(f"{prefix}{number}")
        if bundle and choose.random() < 0.4:
            items.append(_of_bundle(choose, catalog.offerings[offering], items[-1]))
    return items


def _of_bundle(choose: Random, offering: ProductOffering, bundle: RequestedItem) -> RequestedItem:
    """A component of which a bundle has some."""
    role, component = choose.choice(list(offering.bundle.items()))
    return RequestedItem(
        id=f"{bundle.id}.{role}", offering=component.default, quantity=choose.choice((1, 2, 3)), parent=bundle.id
    )


def _wish(choose: Random) -> Wishes:
    name = choose.choice(list(_WISHES))
    return Wishes.model_validate({name: choose.choice(_WISHES[name])})


def _values(choose: Random, offering: str) -> dict[str, JsonValue]:
    values: dict[str, JsonValue] = {"b": choose.randint(0, 2), "box": choose.random() < 0.5}
    return values if offering.startswith("p") else {**values, "a": choose.randint(0, 2)}


def random_change(choose: Random, catalog: Catalog, revision: Revision, request_id: str) -> ChangeRequest:
    """An amendment of the revision, which may turn out to be refused."""
    updates: dict[str, ItemUpdate] = {}
    remove: list[str] = []
    add: list[RequestedItem] = []
    for _ in range(choose.choice((1, 1, 2))):
        kind = choose.choice(("update", "update", "update", "remove", "add"))
        if kind == "add" or not revision.items:
            add = random_items(choose, catalog, revision, f"{request_id}-")
            continue
        item = choose.choice(revision.items)
        if kind == "remove":
            remove.append(item.id)
        else:
            updates[item.id] = _update(choose, catalog, item)
    return ChangeRequest(
        request_id=request_id,
        kind=ChangeKind.AMEND,
        add=tuple(add),
        update=tuple(updates.values()),
        remove=tuple(dict.fromkeys(remove)),
        cascade=choose.random() < 0.5,
    )


def taken_back(revision: Revision, before: Revision, request_id: str) -> ChangeRequest | None:
    """An amendment that has the items that both revisions have be as they were before. None where they have none."""
    olds = before.by_id()
    updates = tuple(
        ItemUpdate(
            id=item.id,
            offering=old.offering if old.offering != item.offering else None,
            characteristics={} if old.specification is None else old.characteristics,
            site=old.site if old.site != item.site else None,
        )
        for item in revision.items
        if (old := olds.get(item.id)) is not None and old.specification == item.specification
    )
    return ChangeRequest(request_id=request_id, kind=ChangeKind.AMEND, update=updates) if updates else None


def _update(choose: Random, catalog: Catalog, item: Item) -> ItemUpdate:
    what = choose.choice(("values", "quantity", "drop", "offering", "move", "wish"))
    if what == "wish":
        return ItemUpdate(id=item.id, wishes=_wish(choose))
    if what == "move":
        return ItemUpdate(id=item.id, site=choose.choice(SITES))
    if catalog.offerings[item.offering].bundle:
        return ItemUpdate(
            id=item.id, offering=choose.choice([name for name in catalog.offerings if name.startswith("bundle")])
        )
    if what == "offering":
        offering = choose.choice([name for name, each in catalog.offerings.items() if not each.bundle])
        return ItemUpdate(id=item.id, offering=offering, characteristics=_values(choose, offering))
    if what == "quantity":
        return ItemUpdate(id=item.id, quantity=choose.randint(1, 3))
    if what == "drop":
        return ItemUpdate(id=item.id, drop=(choose.choice(item.products),), quantity=choose.choice((None, 1, 2)))
    return ItemUpdate(id=item.id, characteristics=_values(choose, item.offering))


def random_follow_on(
    choose: Random, catalog: Catalog, installed: Sequence[InstalledProduct]
) -> tuple[RequestedItem, ...]:
    """Items that change, cease or keep installed products, and new ones that rely on them."""
    active = [product for product in installed if product.status.is_installed]
    named = choose.sample(active, min(len(active), choose.choice((0, 1, 1, 2, 3))))
    items = [_on_installed(choose, catalog, f"i{number}", product) for number, product in enumerate(named)]
    if not items or choose.random() < 0.4:
        for new in random_items(choose, catalog, None, "n"):
            relies_on = tuple(product.id for product in active if choose.random() < 0.2)
            items.append(new.model_copy(update={"relies_on_products": relies_on}))
    return tuple(items)


def _on_installed(choose: Random, catalog: Catalog, item_id: str, product: InstalledProduct) -> RequestedItem:
    action = choose.choice(
        (Action.MODIFY, Action.MODIFY, Action.MODIFY, Action.DELETE, Action.DELETE, Action.NO_CHANGE)
    )
    asked = RequestedItem(id=item_id, action=action, product=product.id)
    if action is not Action.MODIFY:
        return asked
    what = choose.choice(("values", "values", "offering", "move", "wish", "wish", "wish"))
    if what == "wish":
        return asked.model_copy(update={"wishes": _wish(choose)})
    if what == "move":
        return asked.model_copy(update={"site": choose.choice(SITES)})
    if product.specification is None:
        bundles = [name for name, offering in catalog.offerings.items() if offering.bundle]
        return asked.model_copy(update={"offering": choose.choice(bundles)})
    offering = product.offering
    if what == "offering":
        offering = choose.choice([name for name, each in catalog.offerings.items() if not each.bundle])
    values = {name: value for name, value in _values(choose, offering).items() if choose.random() < 0.7}
    return asked.model_copy(update={"offering": offering, "characteristics": values})


def as_ordered_anew(revision: Revision) -> tuple[RequestedItem, ...]:
    """The items of a revision, as a channel would order them today."""
    return tuple(
        RequestedItem(
            id=item.id,
            action=Action.ADD,
            offering=item.offering,
            characteristics=item.characteristics,
            quantity=item.quantity,
            site=item.site,
            parent=item.parent,
            relies_on=item.relies_on,
            wishes=Wishes(billing_account=item.billing_account),
        )
        for item in revision.items
    )
