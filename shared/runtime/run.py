"""``python -m services.<name> --role api|worker|both``: the command that is a service."""

import argparse
import asyncio
import gc
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import uvloop

from shared.runtime.context import Role, ServiceContext
from shared.runtime.process import ServiceProcess
from shared.runtime.settings import InvalidSettingsError, ServiceSettings, load_settings
from shared.runtime.wiring import Wiring
from shared.telemetry.logs import configure_logs
from shared.web.keys import KeySource

EXIT_WRONG_SETTINGS = 2
GC_THRESHOLDS = (200_000, 20, 100)
ROLES: tuple[Role, ...] = ("api", "worker", "both")

S = TypeVar("S", bound=ServiceSettings)


def run_service(
    service: str,
    settings: type[S],
    build: Callable[[ServiceContext[S]], Awaitable[Wiring]],
    *,
    key_source: Callable[[S], KeySource] | None = None,
    arguments: Sequence[str] | None = None,
) -> None:
    """Run a service until SIGTERM or SIGINT, then exit.

    ``key_source`` is for the service that issues tokens: it holds the keys that others fetch from it.

    Exit codes: 0 stopped in order; 2 wrong settings; 3 a consumer, the relay or another part ended for good; 4 could
    not start; 5 had to be cancelled while stopping.
    """
    parser = argparse.ArgumentParser(prog=f"python -m services.{service}", description=f"The {service} service.")
    parser.add_argument(
        "--role",
        choices=ROLES,
        default="both",
        help="api: answers HTTP. worker: reads topics, relays the outbox, does periodic work; HTTP for health only.",
    )
    role: Role = parser.parse_args(arguments).role
    try:
        loaded = load_settings(settings)
    except InvalidSettingsError as error:
        sys.stderr.write(f"{service}: wrong settings\n{error}\n")
        sys.exit(EXIT_WRONG_SETTINGS)
    configure_logs(service=service, role=role, level=loaded.log_level)
    process = ServiceProcess(service=service, role=role, settings=loaded, build=build, key_source=key_source)
    gc.freeze()  # modules live as long as the process: no collection needs to look at them again
    # Batches are up to two hundred thousand objects without cycles: by default they are looked at again and again.
    # Decoding a purchase took 64 microseconds so, and 28 with a first threshold of 50,000; with 400,000 the whole
    # pipeline took another 4% less of the processor.
    gc.set_threshold(*GC_THRESHOLDS)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        sys.exit(runner.run(_until_signalled(process)))


async def _until_signalled(process: ServiceProcess[S]) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return await process.run(stop)
