"""The redemption service as it runs: its own process code on a free port, in this event loop."""

from contextlib import AbstractAsyncContextManager
from typing import Any

import httpx2

from services.redemption.app import build
from services.redemption.settings import RedemptionSettings
from shared.kafka import KafkaSettings
from shared.runtime import Role
from tests.support.databases import FreshDatabase
from tests.support.redemption import KEY
from tests.support.running import running


def redemption_service(
    database: FreshDatabase, role: Role, kafka: KafkaSettings | None = None, **others: Any
) -> AbstractAsyncContextManager[httpx2.AsyncClient]:
    """The service in one role, and a client of it; it must stop in order."""
    others = {"identifier_key": KEY.secret.hex(), "client_secret": "s" * 32} | others
    return running("redemption", RedemptionSettings, build, database, role, kafka, **others)
