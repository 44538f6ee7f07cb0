"""Every topic with the union of events that may stand on it, and how to read one."""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter

from shared.events.coalition import CoalitionEvent
from shared.events.envelope import Event
from shared.events.fraud import FraudEvent
from shared.events.members import MemberEvent
from shared.events.notifications import NotificationEvent
from shared.events.points import PointsEvent
from shared.events.purchases import PurchaseEvent
from shared.events.redemptions import RedemptionEvent

E = TypeVar("E", bound=Event)


@dataclass(frozen=True)
class TopicEvents(Generic[E]):
    """One topic: its name, what it is for, and the adapter that reads its events."""

    topic: str
    about: str
    adapter: TypeAdapter[E]

    def read(self, body: bytes) -> E:
        """One event from its bytes.

        Raises:
            pydantic.ValidationError: not JSON, an unknown type, or a breach of the schema.
        """
        event: E = self.adapter.validator.validate_json(body)  # the adapter's own method costs a tenth more
        return event

    def types(self) -> tuple[str, ...]:
        """The ``type`` values that this topic knows."""
        schema: dict[str, Any] = self.adapter.json_schema()
        return tuple(sorted(schema["discriminator"]["mapping"]))


PURCHASES = TopicEvents("loyalty.purchases", "Receipts as tills posted them.", TypeAdapter(PurchaseEvent))
MEMBERS = TopicEvents("loyalty.members", "Members and the hashes of their identifiers.", TypeAdapter(MemberEvent))
COALITION = TopicEvents("loyalty.coalition", "Partners, stores, tills, API clients.", TypeAdapter(CoalitionEvent))
POINTS = TopicEvents("loyalty.points", "What became of receipts, in points.", TypeAdapter(PointsEvent))
REDEMPTIONS = TopicEvents("loyalty.redemptions", "Points reserved, taken, given back.", TypeAdapter(RedemptionEvent))
FRAUD = TopicEvents("loyalty.fraud", "Signals, holds of awards, cases.", TypeAdapter(FraudEvent))
NOTIFICATIONS = TopicEvents("loyalty.notifications", "What members were told.", TypeAdapter(NotificationEvent))

CATALOGUE: tuple[TopicEvents[Any], ...] = (PURCHASES, MEMBERS, COALITION, POINTS, REDEMPTIONS, FRAUD, NOTIFICATIONS)
