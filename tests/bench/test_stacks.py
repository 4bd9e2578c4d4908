import pytest

from bench.processes.stacks import (
    ACTIVITIES,
    ASYNCIO,
    HTTP,
    ORDERS,
    PAYLOADS,
    SANDBOX,
    SDK,
    by_function,
    by_part,
    read_stacks,
)

MAIN = "thread (7): MainThread;<module> (cli.py:1);Handle._run (asyncio/events.py:80)"


@pytest.mark.parametrize(
    ("frames", "part"),
    [
        ("", ASYNCIO),
        ("_handle (temporalio/worker/_workflow.py:1);next_steps (orders/reconcile/reconciler.py:5)", ORDERS),
        (
            "_handle (temporalio/worker/_workflow.py:1);f (orders/reconcile/reconciler.py:5);heappush (heapq.py:9)",
            ORDERS,
        ),
        ("run (activities/protocols/tmf640.py:1);request (httpx2/_client.py:2);read (ssl.py:3)", HTTP),
        ("run (activities/protocols/tmf640.py:1)", ACTIVITIES),
        ("run (activities/protocols/tmf640.py:1);model_dump_json (pydantic/main.py:4)", PAYLOADS),
        ("encode (temporalio/contrib/pydantic.py:1)", PAYLOADS),
        ("_handle (temporalio/worker/_workflow.py:1)", SDK),
        (
            "_run_code (temporalio/worker/workflow_sandbox/_runner.py:1);_find (<frozen importlib._bootstrap>:1);"
            "<module> (workflows/order.py:1);wrap (dataclasses.py:1);_sig (temporalio/common.py:2)",
            SANDBOX,
        ),
    ],
)
def test_a_sample_is_charged_to_the_innermost_part_on_its_stack(frames: str, part: str) -> None:
    line = f"{MAIN};{frames} 3\n" if frames else f"{MAIN} 3\n"
    assert by_part(read_stacks([line])) == {part: 3}


def test_a_function_of_ours_is_charged_with_what_it_calls_once_even_where_it_calls_itself() -> None:
    line = f"{MAIN};walk (orders/model/plan.py:1);walk (orders/model/plan.py:2);dump (json/encoder.py:1) 4\n"
    assert by_function(read_stacks([line])) == {"orders/model/plan.py: walk": 4}


def test_what_is_no_stack_is_passed_over() -> None:
    assert not list(read_stacks(["py-spy said something\n", "\n"]))
