"""The worker process: runs workflows and activities, with a task queue for each silo."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial

import structlog
from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.service import RPCError
from temporalio.worker import FixedSizeSlotSupplier, PollerBehaviorAutoscaling, Worker, WorkerTuner

import logs
from activities.bulk import BulkAsking
from activities.calling.grant import Grant, GrantedSlots
from activities.calling.silo_activities import SiloActivity, adapter_of, silo_activities
from activities.calling.silo_conditions import SiloConditions
from activities.calling.watching import Watch
from activities.capturing import Capturing
from activities.dates.learning import Learned, learning
from activities.dates.visiting import Visiting
from activities.foreseeing import Foreseeing
from activities.planning import Planning
from activities.protocols.http_client import SiloHttp, silo_client
from catalog_loader.catalog_files import CatalogStore, read_catalog
from orders.model import wire_names
from orders.model.catalog import Silo
from register import Register
from settings import PRIVATE_UMASK, Settings, SettingsError
from workflows.bulk import BulkWorkflow
from workflows.order import OrderWorkflow
from workflows.sdk.connection import connect, sandbox
from workflows.sdk.executions import describe
from workflows.sdk.fleet import sharing_queue, unload_sticky_queues
from workflows.silo import SiloWorkflow

GRACE = timedelta(seconds=5)
LEFT_TO_ITS_WORKER = timedelta(seconds=1)
"""How long an order's next workflow task is left to the worker that has the order in memory, before any may have it.

Where that worker was killed, a change of the order waits so long until another worker starts, and would wait ten
seconds as the SDK has it. It costs nothing that could be measured: with 150 orders in flight, far more than the worker
kept up with, one workflow task in twelve was given to it anew, and orders a second were the same.
"""
NEW_OBJECTS = 20_000
"""How many there are before Python looks for garbage among them: a large order keeps more than the usual 700 at a time.
"""
SHARED_AGAIN_S = 5
"""How often each worker sees with how many others it shares what the silos grant."""
log = structlog.get_logger()


@asynccontextmanager
async def workers(settings: Settings, client: Client) -> AsyncIterator[None]:
    """All workers of this process, running: one for orders, and one for each silo with its own limits.

    Raises:
        CatalogError: if the catalog does not make sense.
    """
    catalog = read_catalog(settings.catalog_dir)
    catalogs = CatalogStore(settings.catalog_versions)
    digest = catalogs.keep(catalog)
    register = Register(settings.register_address)
    register.prepare()
    learned = Learned(register.durations)
    grants = {silo.name: Grant(silo) for silo in catalog.silos.values()}
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(_sharing(client, list(grants.values())))
        await stack.enter_async_context(learning(register.durations, catalog))
        threads = stack.enter_context(ThreadPoolExecutor(max_workers=20, thread_name_prefix="orders"))
        served = catalog.silos.values()
        # To find a connection for a request, the client looks at each that it has: silos share none.
        http = {silo.name: await stack.enter_async_context(silo_client([silo])) for silo in served}
        probes = {
            silo.name: adapter_of(silo.protocol, SiloHttp(silo, http[silo.name], settings), register).probe
            for silo in served
        }
        watch = Watch(client, register.silos, grants, served)
        await stack.enter_async_context(watch.watching(probes))
        conditions = SiloConditions(client, register.silos, probes)
        for silo in served:
            grant, health = grants[silo.name], watch.health[silo.name]
            activities = silo_activities(silo, http[silo.name], settings, grant, register, health)
            await stack.enter_async_context(silo_worker(client, silo, grant, activities))
        bulk = BulkAsking(client, register)
        slots = await stack.enter_async_context(silo_client(served))
        visiting = Visiting(catalog, slots, settings, Foreseeing(register, catalogs, catalog, learned))
        capturing = Capturing(partial(describe, client), catalog, catalogs, register, learned, visiting=visiting)
        runner = sandbox()
        orders = Worker(
            client,
            task_queue=wire_names.ORDERS_QUEUE,
            workflows=[OrderWorkflow, SiloWorkflow, BulkWorkflow],
            activities=[
                Planning(catalogs, register.documents, learned, visiting).plan_revision,
                capturing.capture_order,
                register.records.record,
                conditions.apply,
                conditions.judge,
                conditions.probe,
                bulk.ask_many,
                bulk.stop_asking,
            ],
            activity_executor=threads,
            max_concurrent_activities=20,
            max_concurrent_local_activities=20,
            max_cached_workflows=1000,
            sticky_queue_schedule_to_start_timeout=LEFT_TO_ITS_WORKER,
            workflow_runner=runner,
            graceful_shutdown_timeout=GRACE,
        )
        runner.cache.is_of(orders)
        await _take_over(client)
        await stack.enter_async_context(orders)
        log.info("worker ready", catalog=digest, silos=len(catalog.silos), namespace=client.namespace)
        yield


@asynccontextmanager
async def _sharing(client: Client, grants: Sequence[Grant]) -> AsyncIterator[None]:
    """Have all workers share among them what the silos grant, also where some come and go."""

    async def share() -> None:
        try:
            sharing = await sharing_queue(client, wire_names.ORDERS_QUEUE)
        except RPCError as error:  # As many as before: others will have the same trouble.
            log.warning("the number of workers is not known", error=str(error))
        else:
            for grant in grants:
                grant.share_with(len(sharing))

    async def go_on() -> None:
        while True:
            await asyncio.sleep(SHARED_AGAIN_S)
            await share()

    await share()
    going_on = asyncio.create_task(go_on())
    try:
        yield
    finally:
        going_on.cancel()


async def _take_over(client: Client) -> None:
    """Take what Temporal keeps for workers that were killed."""
    try:
        queues = await unload_sticky_queues(client)
    except RPCError as error:  # It is taken `LEFT_TO_ITS_WORKER` later.
        log.warning("workflow tasks of workers that were killed come later", error=str(error))
    else:
        log.debug("sticky queues unloaded", queues=queues)


def silo_worker(client: Client, silo: Silo, grant: Grant, activities: Sequence[SiloActivity]) -> Worker:
    """A worker for the activities of a silo, within what is granted."""
    none = FixedSizeSlotSupplier(1)
    # A poller has a slot: half of them at most are tied up while there is nothing to do.
    pollers = max(1, min(10, silo.concurrency // 2))
    return Worker(
        client,
        task_queue=wire_names.silo_queue(silo.name),
        activities=activities,
        tuner=WorkerTuner.create_composite(
            workflow_supplier=none,
            activity_supplier=GrantedSlots(grant),
            local_activity_supplier=none,
            nexus_supplier=none,
        ),
        max_task_queue_activities_per_second=silo.rate_per_second,
        activity_task_poller_behavior=PollerBehaviorAutoscaling(initial=min(2, pollers), maximum=pollers),
        graceful_shutdown_timeout=GRACE,
    )


async def run_worker(settings: Settings, client: Client, stop: asyncio.Event) -> None:
    """Work until `stop` is set, then finish what is under way within the grace period."""
    async with workers(settings, client):
        await stop.wait()
        log.info("worker stopping")


def collect_seldom() -> None:
    """Have Python look for garbage less often, and never among what is there now.

    It saves a tenth of the CPU of large orders.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS, 10, 10)


def say_it_in_fields() -> None:
    """Have workflows and activities log what they are about in fields (see `logs`), and not at the end of each text."""
    workflow.logger.workflow_info_on_message = False
    activity.logger.activity_info_on_message = False


async def main(settings: Settings | None = None) -> None:
    """Connect and work until SIGTERM or SIGINT."""
    settings = settings or Settings()
    logs.configure(settings.log_level, as_json=settings.log_format == "json")
    if not settings.shut_data_dir():
        log.warning("the data folder can be read by others, and is somebody else's", folder=str(settings.data_dir))
    collect_seldom()
    say_it_in_fields()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    client = await connect(f"127.0.0.1:{settings.temporal_port}", metrics_address=settings.metrics_address)
    await run_worker(settings, client, stop)


def run(work: Coroutine[None, None, None]) -> None:
    """Run a worker's work in an event loop that takes less CPU than Python's own, where there is one."""
    with asyncio.Runner(loop_factory=_new_loop()) as runner:
        runner.run(work)


def _new_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if sys.platform == "win32":
        return None
    import uvloop

    return uvloop.new_event_loop


if __name__ == "__main__":
    logs.configure()
    os.umask(PRIVATE_UMASK)
    try:
        run(main())
    except SettingsError as error:
        sys.exit(f"worker: {error}")
