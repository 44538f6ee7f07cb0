"""Fraud on a database of its own."""

from collections.abc import AsyncIterator, Callable

import httpx2
import pytest

from shared.database import Database
from tests.support.fraud_service import Scoring, fraud_client


@pytest.fixture
def scoring(database_of: Callable[[str], Database]) -> Scoring:
    """A worker's handlers, as fraud's role."""
    return Scoring(database_of("fraud"))


@pytest.fixture
async def client(scoring: Scoring) -> AsyncIterator[httpx2.AsyncClient]:
    """Calls to fraud's routes, on the same database."""
    async with fraud_client(scoring.database) as opened:
        yield opened
