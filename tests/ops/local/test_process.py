"""A process of a stack, with small programs in the place of large ones."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import pytest

from ops.local.process import StackError, keep_alive
from tests.ops.local.programs import LIVES, is_alive, python
from tests.running.pipe import until

DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)" + LIVES


async def test_a_process_is_started_when_it_is_ready_and_its_output_is_in_its_log(tmp_path: Path) -> None:
    process = python(tmp_path, LIVES)
    assert not process.running
    await process.start()
    assert process.running
    assert process.tail() == "ready"
    await process.stop()
    assert not process.running
    assert process.pid is not None
    assert not is_alive(process.pid)


async def test_what_a_process_writes_and_its_log_are_the_owners_alone(tmp_path: Path) -> None:
    process = python(tmp_path, LIVES)
    await process.start()
    try:
        modes = [path.stat().st_mode & 0o777 for path in (tmp_path / "ready", process.log, process.log.parent)]
    finally:
        await process.stop()
    assert modes == [0o600, 0o600, 0o700]


async def test_a_process_that_ends_before_it_is_ready_is_told_with_the_end_of_its_log(tmp_path: Path) -> None:
    process = python(tmp_path, "print('the floor is wet'); raise SystemExit(3)")
    with pytest.raises(StackError) as caught:
        await process.start()
    message = str(caught.value)
    assert message.startswith("The program ended with exit status 3 instead of starting. The end of ")
    assert message.endswith("program.log:\n\nthe floor is wet")


async def test_a_process_that_is_never_ready_is_told_and_ended(tmp_path: Path) -> None:
    async def never(_: int) -> bool:
        return False

    process = python(tmp_path, LIVES, ready=never, ready_within=0.3)
    with pytest.raises(StackError, match=r"was not ready within 0 s"):
        await process.start()
    assert await process.ended() == -signal.SIGKILL


async def test_a_process_that_does_not_listen_is_killed_when_its_time_is_over(tmp_path: Path) -> None:
    process = python(tmp_path, DEAF)
    await process.start()
    await process.stop()
    assert await process.ended() == -signal.SIGKILL


async def test_a_process_that_was_killed_can_be_started_again_and_its_log_goes_on(tmp_path: Path) -> None:
    process = python(tmp_path, LIVES)
    await process.start()
    first = process.pid
    process.kill()
    assert await process.ended() == -signal.SIGKILL
    await process.start()
    assert process.running
    assert process.pid != first
    await process.restart()
    assert process.running
    await process.stop()
    assert process.tail() == "ready\nready\nready"


async def test_what_dies_is_started_again_but_not_for_ever(tmp_path: Path) -> None:
    news: list[str] = []
    process = python(tmp_path, LIVES)
    await process.start()
    keeping = asyncio.create_task(keep_alive([process], news.append))
    for times in range(1, 4):
        process.kill()

        async def is_back(times: int = times) -> bool:
            return len(news) == 2 * times

        await until(is_back, "the program to be back")
    assert news[0].startswith("The program was ended by SIGKILL. Starting it again; its log is ")
    assert news[-1] == f"The program is back, as process {process.pid}."
    process.kill()
    with pytest.raises(StackError, match=r"^The program ended 4 times within a minute; this time it was ended by SIG"):
        await keeping


async def test_what_does_not_come_back_is_told(tmp_path: Path) -> None:
    process = python(tmp_path, "import pathlib; assert not pathlib.Path({ready!r}).exists()" + LIVES)
    await process.start()
    keeping = asyncio.create_task(keep_alive([process], lambda _: None))
    process.kill()
    with pytest.raises(StackError, match=r"ended with exit status 1 instead of starting(.|\n)*AssertionError"):
        await keeping


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends processes with their parent")
async def test_a_process_ends_when_the_one_that_started_it_is_killed(tmp_path: Path) -> None:
    starter = f"""
import asyncio
from pathlib import Path
from tests.ops.local.programs import LIVES, python

async def main():
    process = python(Path({str(tmp_path)!r}), LIVES)
    await process.start()
    print(process.pid, flush=True)
    await process.ended()

asyncio.run(main())
"""
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", starter, stdout=asyncio.subprocess.PIPE)
    assert parent.stdout is not None
    child = int(await parent.stdout.readline())
    assert is_alive(child)
    parent.kill()
    await parent.wait()

    async def gone() -> bool:
        return not is_alive(child)

    await until(gone, "the child to end")
