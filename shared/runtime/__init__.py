"""What makes a service a process: settings, wiring, consumers, relay, periodic work, a clean stop.

A service states what it is made of (``Wiring``); everything else is the same for all and lives here.
"""

from shared.runtime.context import Role, ServiceContext
from shared.runtime.run import run_service
from shared.runtime.settings import ServiceSettings
from shared.runtime.wiring import Periodic, Subscription, Wiring

__all__ = ["Periodic", "Role", "ServiceContext", "ServiceSettings", "Subscription", "Wiring", "run_service"]
