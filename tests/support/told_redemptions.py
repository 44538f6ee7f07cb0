"""What was told on ``loyalty.redemptions``, read by itself: complete, in order, once, and adding up."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from aiokafka import ConsumerRecord

from shared.events.balances import Balance
from shared.events.catalogue import REDEMPTIONS
from shared.events.redemptions import (
    RedemptionCaptured,
    RedemptionDeclined,
    RedemptionEvent,
    RedemptionExpired,
    RedemptionHeld,
    RedemptionRefunded,
    RedemptionVoided,
)
from tests.support.till_talks import Left


@dataclass
class _Purse:
    """What a member has by what was told so far."""

    available: int
    held: int = 0

    def hear(self, event: RedemptionEvent) -> None:
        match event:
            case RedemptionHeld(data=data):
                self._move(-data.points, data.points, data.balance)
            case RedemptionCaptured(data=data) if data.late:
                self._move(-data.points, 0, data.balance)
            case RedemptionCaptured(data=data):
                self._move(data.released_points, -data.points - data.released_points, data.balance)
            case RedemptionRefunded(data=data):
                self._move(data.points, 0, data.balance)
            case RedemptionVoided(data=data) | RedemptionExpired(data=data):
                self._move(data.points, -data.points, data.balance)
            case RedemptionDeclined():
                pass
            case _:
                raise AssertionError(f"nobody asked for it: {event}")

    def _move(self, available: int, held: int, told: Balance) -> None:
        self.available += available
        self.held += held
        assert (told.available, told.held, told.pending, told.debt) == (self.available, self.held, 0, 0)


def assert_told(records: Iterable[ConsumerRecord], left: Sequence[Left], earned: dict[UUID, int]) -> None:
    """Of each redemption just what it must leave was told, in its order; and by what was told in turn, each member has
    what the events say. The relay may send a record twice: then it is the same, byte for byte."""
    events = [event for key, event in _once(records) if key in {str(member_id) for member_id in earned}]
    told: dict[UUID, list[str]] = defaultdict(list)
    purses = {member_id: _Purse(points) for member_id, points in earned.items()}
    for event in events:
        data = event.data
        assert hasattr(data, "redemption_id"), event
        told[data.redemption_id].append(type(event).__name__.removeprefix("Redemption"))
        assert data.member_id is not None
        purses[data.member_id].hear(event)
    assert told == {one.redemption_id: list(one.told) for one in left}


def _once(records: Iterable[ConsumerRecord]) -> list[tuple[str, RedemptionEvent]]:
    first: dict[UUID, bytes] = {}
    events = []
    for record in records:
        event = REDEMPTIONS.read(record.value)
        if event.id not in first:
            events.append((record.key.decode(), event))
        assert first.setdefault(event.id, record.value) == record.value, event
    return events
