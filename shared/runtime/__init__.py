"""What makes a service a process: settings, wiring, consumers, relay, periodic work, a clean stop.

A service states what it is made of (``Wiring``); everything else is the same for all and lives here.

The names are loaded when they are asked for: migrations and commands that need the table of dead letters alone do not
load a web server for it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from shared.runtime.context import Role, ServiceContext
    from shared.runtime.run import run_service
    from shared.runtime.settings import ServiceSettings
    from shared.runtime.wiring import Periodic, Subscription, Wiring

__all__ = ["Periodic", "Role", "ServiceContext", "ServiceSettings", "Subscription", "Wiring", "run_service"]

_HOMES = {
    "Periodic": "wiring",
    "Role": "context",
    "ServiceContext": "context",
    "ServiceSettings": "settings",
    "Subscription": "wiring",
    "Wiring": "wiring",
    "run_service": "run",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{home}"), name)
