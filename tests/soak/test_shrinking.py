"""A failing history is made short, and a script says all that there is to a history."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.soak.hostile.messages import content
from tests.soak.random_histories.scripts import random_script
from tests.soak.script import Change, Hostile, Mend, Restart, Script, read, written
from tests.soak.shrinking import shrunk


def without_one(numbers: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Halves, then all but one."""
    if len(numbers) > 2:
        yield numbers[: len(numbers) // 2]
        yield numbers[len(numbers) // 2 :]
    for place in range(len(numbers)):
        yield numbers[:place] + numbers[place + 1 :]


async def has_both(numbers: tuple[int, ...]) -> bool:
    return {3, 17} <= set(numbers)


async def test_of_many_things_the_two_that_matter_are_left() -> None:
    assert await shrunk(tuple(range(40)), without_one, has_both, most=500) == (3, 17)


async def test_what_can_be_left_out_is_looked_for_only_so_often() -> None:
    tries = 0

    async def never(_: tuple[int, ...]) -> bool:
        nonlocal tries
        tries += 1
        return False

    assert await shrunk(tuple(range(40)), without_one, never, most=7) == tuple(range(40))
    assert tries == 7


async def test_a_script_is_cut_down_to_the_change_that_fails_and_the_item_that_it_is_about() -> None:
    fatal = Change(after=4, body={"kind": "amend", "update": [{"id": "tv"}, {"id": "voice"}]}, twice=True)
    items = [{"id": "net"}, {"id": "tv", "quantity": 3}, {"id": "voice"}]
    script = Script(
        name="long",
        order={"productOrderItem": items},
        steps=(Mend(after=1), Change(after=2, body={"kind": "hold"}), fatal, Restart(after=7)),
    )

    async def fails(shorter: Script) -> bool:
        changes = [step for step in shorter.steps if isinstance(step, Change)]
        about_tv = [change for change in changes if {"id": "tv"} in change.body.get("update", [])]
        return bool(about_tv) and any(item["id"] == "tv" for item in shorter.order["productOrderItem"])

    short = await shrunk(script, Script.shorter, fails, most=100)
    assert short.order["productOrderItem"] == [{"id": "tv", "quantity": 1}]
    assert short.steps == (Change(after=4, body={"kind": "amend", "update": [{"id": "tv"}]}),)


def test_a_script_can_be_kept_in_a_file_and_a_seed_is_always_the_same_one(tmp_path: Path) -> None:
    file = tmp_path / "script.json"
    for seed in range(100):
        script = random_script(seed)
        assert random_script(seed) == script
        file.write_text(written(script))
        assert read(file) == script
        attacked = random_script(seed, hostile=True)
        file.write_text(written(attacked))
        assert read(file) == attacked
        assert all(content(step) is not None for step in attacked.steps if isinstance(step, Hostile))
        assert [step for step in attacked.steps if step in script.steps] == list(script.steps)


def test_every_shorter_script_is_another_and_not_longer() -> None:
    for seed in range(100):
        script = random_script(seed)
        for shorter in script.shorter():
            assert shorter != script
            assert len(written(shorter)) <= len(written(script))
