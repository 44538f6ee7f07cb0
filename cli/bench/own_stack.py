"""The stack that a benchmark runs on: one of its own, which begins empty."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace

from rich.console import Console

from deploy.local.config import StackConfig
from deploy.local.progress import ConsoleReporter
from deploy.local.services import ServiceSpec
from deploy.local.stack import LocalStack


def own_stack(
    console: Console, fleet: Sequence[ServiceSpec], *, service_environment: Mapping[str, str] | None = None
) -> LocalStack:
    """A stack of these services, to be entered, that tells the console how far it is.

    What an earlier benchmark left is deleted: figures are of what this one stores. ``service_environment`` is told to
    the services beside what the configuration tells them.
    """
    config = StackConfig.from_environment()
    config = replace(
        config,
        state_dir=config.state_dir / "bench",
        service_environment={**config.service_environment, **(service_environment or {})},
    )
    shutil.rmtree(config.state_dir, ignore_errors=True)
    return LocalStack(config, fleet=fleet, reporter=ConsoleReporter(console))
