"""What a task template of a catalog is refused for: one test for each kind of nonsense."""

from pathlib import Path

import pytest

from tests.orders.support.catalogs import SOUND, only, problems_of

INTERNET = "specifications/internet"
TASKS = "specifications/internet/tasks"
VISIT = "specifications/installation/tasks/visit"
VOICE_LINE = "specifications/voice/tasks/line"


# What they do, and when


def test_an_unknown_silo_is_named(tmp_path: Path) -> None:
    problem = only(tmp_path, **{f"{TASKS}/line/silo": "netwerk"})
    assert problem == "specifications.internet.tasks.line.silo: there is no silo 'netwerk'"


def test_a_task_of_a_product_stays_with_it_whatever_a_later_order_does(tmp_path: Path) -> None:
    found = only(tmp_path, **{"specifications/voice/tasks/line/applies_on": "[add, noChange]"})
    assert found.startswith("specifications.voice.tasks.line.applies_on: does not name modify: that would take back")


@pytest.mark.parametrize(
    ("task", "content", "reason"),
    [
        ("internet/tasks/line", "[speed]", "is for tasks of another scope: what a product has, it keeps"),
        ("installation/tasks/visit", "[colour]", "no product with this task has a characteristic colour"),
    ],
)
def test_a_task_is_called_for_by_changes_that_there_can_be(
    tmp_path: Path, task: str, content: str, reason: str
) -> None:
    assert only(tmp_path, **{f"specifications/{task}/on_change_of": content}).endswith(f".on_change_of: {reason}")


def test_a_change_calls_for_no_task_that_applies_on_additions_only(tmp_path: Path) -> None:
    visit = "specifications/installation/tasks/visit"
    found = only(tmp_path, **{f"{visit}/applies_on": "[add]", f"{visit}/on_change_of": "[site]"})
    assert found.endswith("on_change_of: has no effect: the task does not apply on modify")


def test_a_task_that_applies_on_nothing_never_runs(tmp_path: Path) -> None:
    found = problems_of(tmp_path, **{"specifications/voice/tasks/line/applies_on": "[]"})
    assert "specifications.voice.tasks.line.applies_on: names no action: the task never runs" in found


@pytest.mark.parametrize("name", ["product", "char", "item", "site", "order", "each"])
def test_a_task_can_not_have_the_name_of_a_namespace(tmp_path: Path, name: str) -> None:
    problem = only(tmp_path, **{f"{TASKS}/{name}": "{title: X, silo: inventory, operation: x}"})
    assert "has a meaning of its own" in problem


@pytest.mark.parametrize(
    ("when", "reason"),
    [
        ("{colour: red}", "internet has no such characteristic"),
        ("{technology: dsl}", '"dsl" is not one of "gpon", "xgs"'),
        ("{router: 'yes'}", '"yes" is not of type boolean'),
        ("{speed: 2000}", "2000 is above 1000"),
        ("{speed: null}", "internet requires a value"),
    ],
)
def test_a_condition_must_be_possible(tmp_path: Path, when: str, reason: str) -> None:
    assert reason in only(tmp_path, **{f"{TASKS}/router/when": when})


def test_a_condition_that_every_offering_rules_out_is_refused(tmp_path: Path) -> None:
    found = problems_of(
        tmp_path,
        **{
            "offerings/fibre-flex/characteristics": "{speed: 100}",
            f"{TASKS}/router/when": "{speed: 300}",
        },
    )
    assert found == [
        "specifications.internet.tasks.router.when.speed: is never 300: every offering fixes another value"
    ]


def test_a_condition_of_an_included_task_must_be_possible_for_every_product(tmp_path: Path) -> None:
    problem = only(tmp_path, **{f"{VISIT}/when": "{technology: xgs}"})
    assert problem.endswith("when.technology: voice has no such characteristic")


def test_a_site_task_needs_products_with_a_site(tmp_path: Path) -> None:
    found = problems_of(tmp_path, **{"specifications/voice/site": "none"})
    assert found == [
        "specifications.installation.tasks.visit.scope: is site, but voice has no site",
        "specifications.installation.tasks.visit.inputs.site: ${site.id}: voice has no site",
    ]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("amend_while_waiting", "true"),
        ("undo", "until_done"),
        ("point_of_no_return", "{kind: hard, milestone: on-site, reached_after: PT1S}"),
    ],
)
def test_nothing_waits_at_a_silo_that_answers_at_once(tmp_path: Path, field: str, value: str) -> None:
    assert "network answers at once" in only(tmp_path, **{f"{TASKS}/line/{field}": value})


def test_a_duration_is_not_negative(tmp_path: Path) -> None:
    assert "less than nothing" in only(tmp_path, **{f"{TASKS}/line/duration": "-PT5M"})


def test_a_point_of_no_return_stops_at_least_one_verb(tmp_path: Path) -> None:
    assert "names no verb" in only(tmp_path, **{f"{TASKS}/line/point_of_no_return": "{kind: hard, verbs: []}"})


# What they wait for


@pytest.mark.parametrize(
    ("dependency", "reason"),
    [
        ("lane", "there is no task 'lane' in internet"),
        ("accounts/open", "there is no specification 'accounts'"),
        ("account/close", "there is no task 'close' in account"),
        ("voice/line", "internet does not include voice, nor is it optional"),
        ("{task: line, of: television}", "no specification has the role 'television'"),
        ("{task: lane, of: voice}", "there is no task 'lane' in voice (role voice)"),
        ("{task: account/open, of: voice}", "only a task of the very specification with the role voice"),
    ],
)
def test_an_unknown_dependency_is_named(tmp_path: Path, dependency: str, reason: str) -> None:
    extra = f"{{title: X, silo: inventory, operation: x, depends_on: [port, {dependency}]}}"
    problem = only(tmp_path, **{f"{TASKS}/extra": extra})
    assert problem.startswith("specifications.internet.tasks.extra.depends_on.1: ")
    assert reason in problem


def test_a_circle_within_a_specification_is_refused(tmp_path: Path) -> None:
    problem = only(
        tmp_path,
        **{f"{TASKS}/port/depends_on": "[{task: line, kind: after}]", f"{TASKS}/port/release_after": "[]"},
    )
    assert problem == (
        "specifications.internet.tasks.line.depends_on: "
        "waits for itself: internet/line -> internet/port -> internet/line"
    )


def test_a_task_that_waits_for_itself_is_refused(tmp_path: Path) -> None:
    assert "waits for itself: internet/port -> internet/port" in only(
        tmp_path, **{f"{TASKS}/port/depends_on": "[port]"}
    )


def test_a_circle_over_included_specifications_is_refused(tmp_path: Path) -> None:
    found = problems_of(tmp_path, **{f"{TASKS}/port/depends_on": "[{task: installation/visit, kind: after}]"})
    assert any("waits for itself: installation/visit -> internet/port" in problem for problem in found)


def test_a_circle_over_roles_is_refused(tmp_path: Path) -> None:
    found = problems_of(tmp_path, **{f"{TASKS}/port/depends_on": "[{task: line, of: voice, optional: true}]"})
    assert [problem for problem in found if "waits for itself" in problem] == [
        "specifications.internet.tasks.line.depends_on: waits for itself: "
        "internet/line -> internet/port -> voice/line -> internet/line"
    ]


def test_every_circle_is_named(tmp_path: Path) -> None:
    found = problems_of(
        tmp_path,
        **{f"{TASKS}/port/depends_on": "[line]", "specifications/account/tasks/open/depends_on": "[open]"},
    )
    assert len([problem for problem in found if "waits for itself" in problem]) == 2


def test_a_required_role_that_no_offering_sells_can_never_be_beside_the_product(tmp_path: Path) -> None:
    found = problems_of(
        tmp_path,
        **{
            "specifications/television": "{role: television, tasks: {show: {title: X, silo: field, operation: x}}}",
            f"{VOICE_LINE}/depends_on": "[{task: line, of: internet, as: access}, {task: show, of: television}]",
        },
    )
    assert found == [
        "specifications.television: no offering sells it: its tasks never run",
        "specifications.voice.tasks.line.depends_on.1: no offering sells a product of role television: "
        "the task can never run",
    ]


def test_a_required_task_of_another_product_must_be_there_for_every_such_product(tmp_path: Path) -> None:
    depends_on = "[{task: line, of: internet, as: access}, {task: router, of: internet}]"
    assert "internet/router is not there for every product" in only(
        tmp_path, **{f"{VOICE_LINE}/depends_on": depends_on}
    )


def test_a_required_task_must_exist_in_every_specification_of_the_role(tmp_path: Path) -> None:
    cable = "{role: internet, site: required, tasks: {wire: {title: X, silo: network, operation: line}}}"
    found = problems_of(tmp_path, **{"specifications/cable": cable, "offerings/cable": "{specification: cable}"})
    assert "specifications.voice.tasks.line.depends_on.0: there is no task 'line' in cable (role internet)" in found


def test_a_dependency_that_is_never_in_the_same_plan_is_refused(tmp_path: Path) -> None:
    extra = "{title: X, silo: inventory, operation: x, when: {router: false}, depends_on: [router]}"
    assert only(tmp_path, **{f"{TASKS}/extra": extra}).endswith("internet/router is never in the same plan")


def test_a_dependency_on_what_only_some_products_include_must_be_optional(tmp_path: Path) -> None:
    delivery = "{tasks: {parcel: {title: X, silo: field, operation: parcel, scope: order}}}"
    changes = {
        "specifications/delivery": delivery,
        f"{INTERNET}/includes": "[account, installation, delivery]",
    }
    depends_on = "[{task: port, of: internet, as: port}, {task: delivery/parcel, kind: after%s}]"
    problem = only(tmp_path, **changes, **{f"{VISIT}/depends_on": depends_on % ""})
    assert "voice does not include delivery" in problem
    assert problems_of(tmp_path, **changes, **{f"{VISIT}/depends_on": depends_on % ", optional: true"}) == []


# What they are told


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("${char.colour}", "internet has no characteristic 'colour'"),
        ("${product.colour}", "product has no 'colour'"),
        ("${order.colour}", "order has no 'colour'"),
        ("${item.colour}", "item has no 'colour'"),
        ("${port.colour}", "internet/port has no such output (it has: port_id)"),
        ("${prt.port_id}", "no dependency of the task is called prt"),
        ("port-${port.port_id}", "must be the whole value"),
        ("{id: '${port.port_id}'}", "must be the whole value"),
        ("${port}", "has a ${ that is no reference"),
        ("${port.port_id", "has a ${ that is no reference"),
        ("[1, '${char speed}']", "has a ${ that is no reference"),
        ("${each.id}", "there is nothing to list"),
    ],
)
def test_an_input_that_leads_nowhere_is_refused(tmp_path: Path, value: str, reason: str) -> None:
    # What is not YAML of its own is plain text.
    text = value if value[0] in "[{" else f'"{value}"'
    problem = only(tmp_path, **{f"{TASKS}/line/inputs/extra": f"{{value: {text}}}"})
    assert problem.startswith("specifications.internet.tasks.line.inputs.extra: ")
    assert reason in problem


def test_only_what_a_silo_gives_back_can_be_shown(tmp_path: Path) -> None:
    problem = only(tmp_path, **{f"{TASKS}/port/shown": "[serial]"})
    assert problem == "specifications.internet.tasks.port.shown: the task has no output serial (it has: port_id)"


def test_a_characteristic_must_be_known_to_every_product_that_includes_the_task(tmp_path: Path) -> None:
    problem = only(tmp_path, **{f"{VISIT}/inputs/speeds": '"${each.char.speed}"'})
    assert problem.endswith("inputs.speeds: ${each.char.speed}: voice has no characteristic 'speed'")


@pytest.mark.parametrize(
    ("scope", "value"),
    [
        ("order", "${site.id}"),
        ("order", "${item.id}"),
        ("order", "${product.id}"),
        ("order", "${char.speed}"),
        ("site", "${item.id}"),
        ("site", "${product.id}"),
        ("site", "${char.speed}"),
        ("item", "${product.id}"),
    ],
)
def test_a_shared_task_can_not_be_told_what_differs_between_those_who_share_it(
    tmp_path: Path, scope: str, value: str
) -> None:
    extra = f'{{title: X, silo: inventory, operation: x, scope: {scope}, inputs: {{x: "{value}"}}}}'
    assert "${each.…} lists them" in only(tmp_path, **{f"{TASKS}/extra": extra})


@pytest.mark.parametrize(
    ("scope", "value"),
    [
        ("product", "${product.id} at ${site.id}, ${char.speed} for ${item.id} of ${order.customer}"),
        ("item", "${char.speed} at ${site.city} for ${item.id} of ${order.id}"),
        ("site", "${site.id} for ${order.channel}"),
        ("site", "${each.site.city}"),
        ("order", "${each.char.speed}"),
        ("order", "${each.item.offering}"),
        ("order", "${order.requested_completion}"),
    ],
)
def test_a_task_can_be_told_what_all_who_share_it_have(tmp_path: Path, scope: str, value: str) -> None:
    extra = f'{{title: X, silo: inventory, operation: x, scope: {scope}, inputs: {{x: "{value}"}}}}'
    assert problems_of(tmp_path, **{f"{TASKS}/extra": extra}) == []


def test_a_list_over_products_is_a_whole_value(tmp_path: Path) -> None:
    assert "must be the whole value: it is a list" in only(tmp_path, **{f"{VISIT}/inputs/x": '"all: ${each.id}"'})


def test_the_order_does_not_differ_from_product_to_product(tmp_path: Path) -> None:
    assert "item, site and appointment differ" in only(tmp_path, **{f"{VISIT}/inputs/x": '"${each.order.id}"'})


def test_outputs_of_two_dependencies_with_one_name_are_ambiguous(tmp_path: Path) -> None:
    found = problems_of(
        tmp_path,
        **{
            f"{VOICE_LINE}/depends_on": "[{task: line, of: internet}, {task: account/open, as: line}]",
            f"{VOICE_LINE}/inputs/access": '"${line.line_id}"',
        },
    )
    assert (
        "specifications.voice.tasks.line.inputs.access: ${line.line_id}: 2 dependencies are called line: "
        "tell them apart with `as`" in found
    )


def test_dependencies_with_one_name_are_no_problem_while_nobody_reads_their_outputs(tmp_path: Path) -> None:
    depends_on = "[{task: line, of: internet}, {task: line, of: voice}]"
    done = f"{{title: X, silo: inventory, operation: x, scope: order, depends_on: {depends_on}}}"
    changes = {
        "specifications/done": f"{{tasks: {{tell: {done}}}}}",
        f"{INTERNET}/includes": "[account, installation, done]",
    }
    assert problems_of(tmp_path, **changes) == []


def test_a_dependency_can_not_be_called_like_a_namespace(tmp_path: Path) -> None:
    depends_on = "[{task: line, of: internet, as: access}, {task: account/open, as: order}]"
    assert "${order.…} has a meaning of its own" in only(tmp_path, **{f"{VOICE_LINE}/depends_on": depends_on})


def test_an_output_that_may_be_missing_must_be_called_optional(tmp_path: Path) -> None:
    depends_on = "[port, router, {task: account/open, kind: after}]"
    problem = only(tmp_path, **{f"{TASKS}/line/depends_on": depends_on})
    assert problem == (
        "specifications.internet.tasks.line.inputs.router: ${router.serial}: internet/router does not run whenever "
        "this task does: say optional: true if that is meant"
    )


def test_an_output_is_there_where_both_tasks_run_under_the_same_condition(tmp_path: Path) -> None:
    extra = (
        "{title: X, silo: inventory, operation: x, when: {router: true, technology: gpon}, depends_on: [router], "
        "inputs: {serial: '${router.serial}'}}"
    )
    assert problems_of(tmp_path, **{f"{TASKS}/extra": extra}) == []


# What is let go after them


@pytest.mark.parametrize(
    ("task", "reason"),
    [
        ("lane", "there is no task 'lane' in internet"),
        ("port", "names the task itself"),
        ("account/open", None),
        ("{task: line, of: voice}", None),
    ],
)
def test_release_after_names_another_task(tmp_path: Path, task: str, reason: str | None) -> None:
    found = problems_of(tmp_path, **{f"{TASKS}/port/release_after": f"[{task}]"})
    assert found == ([] if reason is None else [f"specifications.internet.tasks.port.release_after.0: {reason}"])


def test_what_is_broken_before_it_is_made_can_not_be_released_later(tmp_path: Path) -> None:
    problem = only(tmp_path, **{f"{TASKS}/port/replacement": "break_before_make"})
    assert problem.startswith("specifications.internet.tasks.port.release_after.0: has no effect")


def test_what_is_never_replaced_is_never_released(tmp_path: Path) -> None:
    problem = only(tmp_path, **{f"{TASKS}/port/inputs/technology": '"${char.technology}"'})
    assert problem.endswith("has no effect: no input of the task says on_change: replace")


def test_release_after_a_task_that_is_waited_for_anyway_has_no_effect(tmp_path: Path) -> None:
    found = problems_of(
        tmp_path,
        **{
            f"{TASKS}/line/inputs/speed": '{value: "${char.speed}", on_change: replace}',
            f"{TASKS}/line/release_after": "[port]",
        },
    )
    assert found == [
        "specifications.internet.tasks.line.release_after.0: has no effect: the new one waits for internet/port anyway"
    ]


def test_release_after_a_task_that_is_never_in_the_same_plan_is_refused(tmp_path: Path) -> None:
    found = problems_of(
        tmp_path,
        **{
            f"{TASKS}/extra": "{title: X, silo: inventory, operation: x, when: {router: false}}",
            f"{TASKS}/router/inputs": '{sku: {value: "${char.technology}", on_change: replace}}',
            f"{TASKS}/router/release_after": "[extra]",
        },
    )
    assert found == ["specifications.internet.tasks.router.release_after.0: internet/extra is never in the same plan"]


# What products bring for shared tasks


PARCEL = "{title: X, silo: field, operation: parcel, scope: order, depends_on: [{task: goods, of: '*', as: goods}]}"
VISIT = "specifications/installation/tasks/visit"


def test_what_counts_as_something_that_nothing_takes_is_refused(tmp_path: Path) -> None:
    reason = 'no shared task of internet takes goods: no shared task has it in depends_on with of: "*"'
    changes = {"specifications/internet/tasks/router/counts_as": "goods"}
    assert only(tmp_path, **changes) == f"specifications.internet.tasks.router.counts_as: {reason}"


def test_goods_of_a_product_that_does_not_include_their_parcel_are_refused(tmp_path: Path) -> None:
    found = problems_of(
        tmp_path,
        SOUND,
        **{
            "specifications/internet/tasks/router/counts_as": "goods",
            "specifications/parcels": f"{{tasks: {{ship: {PARCEL}}}}}",
            "specifications/voice/includes": "[account, installation, parcels]",
        },
    )
    assert found == [
        "specifications.internet.tasks.router.counts_as: no shared task of internet takes goods: include parcels",
        "specifications.parcels.tasks.ship.depends_on.0: "
        "no product that brings this task has a task goods, or one that counts_as it",
    ]


def test_a_product_that_brings_nothing_for_a_shared_task_is_refused(tmp_path: Path) -> None:
    found = problems_of(
        tmp_path,
        SOUND,
        **{
            "specifications/internet/tasks/router/counts_as": "goods",
            "specifications/parcels": f"{{tasks: {{ship: {PARCEL}}}}}",
            "specifications/voice/includes": "[account, installation, parcels]",
            "specifications/internet/includes": "[account, installation, parcels]",
        },
    )
    assert found == [
        "specifications.parcels.tasks.ship.depends_on.0: "
        "voice has no task goods, nor one that counts_as it, so this one never runs for it",
    ]


def test_only_shared_tasks_take_what_every_product_brings(tmp_path: Path) -> None:
    changes = {"specifications/voice/tasks/line/depends_on": "[{task: port, of: '*'}]"}
    found = problems_of(tmp_path, SOUND, **{**changes, "specifications/voice/tasks/line/inputs": "{}"})
    assert found == [
        'specifications.voice.tasks.line.depends_on.0: of: "*" is for shared tasks: '
        "a task of scope product names whose port it means"
    ]


def test_what_is_shared_counts_as_nothing(tmp_path: Path) -> None:
    assert only(tmp_path, **{f"{VISIT}/counts_as": "goods"}).startswith(
        "specifications.installation.tasks.visit.counts_as: is for tasks of scope product"
    )


@pytest.mark.parametrize("title", [None, '""', '" padded"', '"two\\nlines"'])
def test_a_task_has_a_title_by_which_people_are_told_of_it(tmp_path: Path, title: str | None) -> None:
    assert only(tmp_path, **{f"{TASKS}/line/title": title}) == (
        "specifications.internet.tasks.line.title: must be a line of plain text: people are told of the task by it"
    )


def test_nothing_is_awaited_of_a_silo_that_answers_at_once(tmp_path: Path) -> None:
    assert only(tmp_path, **{f"{TASKS}/line/awaits": "visit"}).endswith(
        "line.awaits: network answers at once: nothing waits there"
    )
