"""Captures, called without a socket: requests that are sent at once are ready at once, and share."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import httpx2

from services.redemption.api.redemptions import settling_router, sharing_captures
from services.redemption.api.refusals import DOMAIN_PROBLEMS
from services.redemption.programme import Programme
from services.redemption.use_cases.capture_hold import Captured, capture_hold
from services.redemption.use_cases.capture_together import CaptureAsked, capture_together
from services.redemption.use_cases.visibility import Viewer
from shared.database import Database, Transaction
from shared.receipt_key import SequenceKey
from shared.web import Authenticator, Left, StaticKeySource, create_app
from tests.support.registries import ISSUER, SIGNER, bearing

SHIFT = {"scheme": "sequence", "store_id": "s1", "till_id": "1", "business_date": "2026-11-01", "shift": 1}


@dataclass(frozen=True)
class Asking:
    """One capture: of which redemption, for the receipt of which number, and what else its body says."""

    redemption_id: UUID
    number: int
    said: dict[str, Any]
    key: str
    partner_id: str = "grocer"


def asking(redemption_id: UUID, number: int, key: str | None = None, partner_id: str = "grocer", **said: Any) -> Asking:
    """One capture under a key of its own, unless it is given."""
    return Asking(redemption_id, number, said, key or str(uuid4()), partner_id)


@dataclass(frozen=True)
class TakingTills:
    """Tills that ask one process."""

    client: httpx2.AsyncClient

    async def capture(self, one: Asking) -> httpx2.Response:
        """Ask for one capture."""
        headers = bearing("redemptions:write", client_id=one.partner_id, partner_id=one.partner_id)
        return await self.client.post(
            f"/v1/redemptions/{one.redemption_id}/capture",
            json={"receipt": SHIFT | {"number": one.number}} | one.said,
            headers=headers | {"Idempotency-Key": one.key},
        )

    async def at_once(self, asked: Sequence[Asking]) -> list[httpx2.Response]:
        """Ask for all of these at the same time."""
        return await asyncio.gather(*(self.capture(one) for one in asked))


@asynccontextmanager
async def taking_tills(database: Database, programme: Programme) -> AsyncIterator[TakingTills]:
    """A process of the API, as far as it takes points."""
    sharing = sharing_captures(database, programme)
    authenticator = Authenticator(StaticKeySource(SIGNER.public_jwks()), issuer=ISSUER)
    await authenticator.refresh()
    app = create_app(
        title="captures",
        authenticator=authenticator,
        routers=[settling_router(database, programme, sharing)],
        domain_problems=DOMAIN_PROBLEMS,
    )
    transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
        yield TakingTills(client)
        await sharing.close()


async def capture_in(
    transaction: Transaction,
    viewer: Viewer,
    redemption_id: UUID,
    receipt: SequenceKey,
    points: int | None,
    *,
    more: bool,
    came_back_days: int = 0,
) -> Captured:
    """Take points in a transaction that the test commits: as most are, and what that leaves alone as it is alone."""
    if viewer.partner_id is not None:
        asked = CaptureAsked(viewer.partner_id, redemption_id, receipt, points, more)
        [shared] = await capture_together(transaction, [asked], came_back_days=came_back_days, waits=True)
        await transaction.write_later()  # the test goes on in this transaction
        if not isinstance(shared, Left):
            return shared
    return await capture_hold(
        transaction, viewer, redemption_id, receipt, points, more=more, came_back_days=came_back_days
    )
