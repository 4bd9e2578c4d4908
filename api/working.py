"""Work that takes long, such as planning a large order, in a process beside that of the event loop.

Python runs one thread at a time: work in a thread would make everybody else wait, whoever answers probes included. What
is small is done in a thread all the same, since handing it over costs more than doing it.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import pickle
import signal
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from types import FrameType
from typing import Final, ParamSpec, TypeVar

import structlog

from api.blocking import BILL, bill, run_blocking
from api.errors import Busy, TooMuchWork

log = structlog.get_logger()

SMALL: Final = 20
"""Products whose planning takes a thread as long as it takes to hand them to a process: some ten milliseconds."""
SMALL_BYTES: Final = 32 * 2**10
"""JSON that is read, or written, in about the same time."""
_WAITING: Final = 8
_NICE: Final = 10
"""What answers others goes first where there are more processes than processors."""
_DEADLINE_S: Final = 10.0
_STARTS_WITHIN_S: Final = 60.0

_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")


class Overdue(Exception):
    """A piece of work has taken too long."""


class Workshop:
    """Does work in a few processes, which are started when they are first needed.

    Half of them at most work for one caller, on no piece for more than `deadline_s` of CPU. `waiting` pieces may wait.
    """

    def __init__(self, processes: int = 1, *, waiting: int = _WAITING, deadline_s: float = _DEADLINE_S) -> None:
        self._processes = processes
        self._patience_s = _STARTS_WITHIN_S + (processes + waiting) * deadline_s
        self._deadline_s = deadline_s
        self._admission = Admission(processes, processes + waiting)
        self._lane = Admission(1, 1 + waiting)
        self._pool: ProcessPoolExecutor | None = None

    async def run(
        self, size: int, call: Callable[_Given, _Result], *args: _Given.args, **kwargs: _Given.kwargs
    ) -> _Result:
        """Make a call, in a process if its `size`, in products, is not `SMALL`. What it is given and gives is pickled.

        Raises:
            Busy: if too much waits already, or a process has died. The same may be tried again.
            TooMuchWork: if it takes too long.
        """
        if size <= SMALL:
            return await run_blocking(call, *args, **kwargs)
        async with self._admission.turn():
            return await self._aside(call, args, kwargs)

    def one_by_one(self) -> AbstractAsyncContextManager[None]:
        """While something is done in a thread that no other thread of this kind should be at meanwhile.

        Raises:
            Busy: if too much waits already.
        """
        return self._lane.turn()

    async def _aside(
        self, call: Callable[..., _Result], args: tuple[object, ...], kwargs: dict[str, object]
    ) -> _Result:
        pool = self._pool = self._pool or self._started()
        try:
            async with asyncio.timeout(self._patience_s):
                working = asyncio.get_running_loop().run_in_executor(pool, _done, self._deadline_s, call, args, kwargs)
                result, cpu_s = await working
        except BrokenProcessPool as error:
            log.error("a process that works beside the API has died", error=str(error))
            self._discard(pool)
            raise Busy("What worked it out has died") from error
        except TimeoutError as error:  # It does not even heed its deadline.
            raise Busy("It could not be worked out in time") from error
        except Overdue as error:
            bill(self._deadline_s)
            raise TooMuchWork(f"It takes more than {self._deadline_s:g} seconds of CPU to work out") from error
        bill(cpu_s)
        return result

    def close(self) -> None:
        """End the processes, and whatever they are at."""
        if self._pool is not None:
            self._discard(self._pool)

    def _started(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(
            self._processes, mp_context=multiprocessing.get_context("spawn"), initializer=_settle_in
        )

    def _discard(self, pool: ProcessPoolExecutor) -> None:
        if self._pool is pool:
            self._pool = None
        pool.shutdown(wait=False, cancel_futures=True)


def in_products(length: int) -> int:
    """The `size` of a piece of work that is to read, or write, so many bytes of JSON."""
    return SMALL * length // SMALL_BYTES


def _settle_in() -> None:
    """Make a process end with the one that started it, however that ends, leave Ctrl-C to it, and give way to it."""
    os.nice(_NICE)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGPROF, _alarm)
    threading.Thread(target=_follow, daemon=True).start()


def _follow() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(0)


def _alarm(number: int, frame: FrameType | None) -> None:
    raise Overdue


def _done(
    deadline_s: float, call: Callable[..., _Result], args: tuple[object, ...], kwargs: dict[str, object]
) -> tuple[_Result, float]:
    """The result of a call and the CPU seconds that it took."""
    began = time.process_time()
    signal.setitimer(signal.ITIMER_PROF, deadline_s)
    try:
        return call(*args, **kwargs), time.process_time() - began
    except Exception as error:
        _require_to_travel(error)
        raise
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _require_to_travel(error: Exception) -> None:
    """See that an error can be told to another process: one that cannot would break the pool."""
    with suppress(Exception):
        pickle.loads(pickle.dumps(error))
        return
    raise RuntimeError(f"{type(error).__name__}, which cannot be pickled")


class Admission:
    """Lets in `at_once` pieces at a time, half of them of one caller at most: its others are in nobody else's way.

    `most` pieces are let in or wait at any time, half of them of one caller too.
    """

    def __init__(self, at_once: int, most: int) -> None:
        self._most = most
        self._most_of_one = max(1, most // 2)
        self._at_once_of_one = max(1, at_once // 2)
        self._room = asyncio.Semaphore(at_once)
        self._taken: Counter[str] = Counter()
        self._turns: dict[str, asyncio.Semaphore] = {}

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """While a piece of the present caller's work is done. Background tasks are one caller.

        Raises:
            Busy: if too much waits already. The same may be tried again.
        """
        bill = BILL.get()
        caller = bill.caller if bill is not None else ""
        if self._taken.total() >= self._most or self._taken[caller] >= self._most_of_one:
            raise Busy("Too much is waiting to be worked out")
        self._taken[caller] += 1
        try:
            async with self._turns.setdefault(caller, asyncio.Semaphore(self._at_once_of_one)), self._room:
                yield
        finally:
            self._taken[caller] -= 1
            if not self._taken[caller]:
                del self._taken[caller], self._turns[caller]
