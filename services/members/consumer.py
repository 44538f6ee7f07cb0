"""Topic to projection. The handler owns its transaction; the runtime owns the offsets."""

from collections.abc import Mapping

from shared.database import Transaction, read_to
from shared.events.coalition import ApiClientChanged, CoalitionEvent
from shared.kafka import Batch
from shared.runtime.record_keeping import RecordKeeping
from shared.web.known_clients import project_clients

_CLIENT_CHANGED: bytes = ApiClientChanged.model_fields["type"].default.encode()


def wants_client(headers: Mapping[str, bytes]) -> bool:
    """Of coalition's events, members needs those of API clients. Without the header, decoding finds out."""
    return headers.get("type", _CLIENT_CHANGED) == _CLIENT_CHANGED


class CoalitionHandler(RecordKeeping):
    """API clients become facts."""

    async def handle(self, batch: Batch[CoalitionEvent]) -> None:
        """Project a batch."""

        async def work(transaction: Transaction) -> None:
            await project_clients(transaction, batch.events)
            await read_to.save(transaction, batch.positions)

        await self._database.run(work)
