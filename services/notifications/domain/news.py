"""What members are told of their points beside what receipts earn: which events are news, what a message says. Pure.

News are about the member's own account, as the programme's terms promise them, and advertise nothing: no consent is
asked for them. They name no reason of a person's (who adjusted, which rule of fraud's), and bear no personal data.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Final, Literal, TypeAlias, get_args
from uuid import UUID

from shared.events.adjustments import DebtWrittenOff, PointsAdjusted, PointsReinstated
from shared.events.envelope import Event
from shared.events.expiry import PointsExpired, PointsExpiring
from shared.events.member_events import MemberEventRecorded, MemberEventRevoked, MemberEventSettled
from shared.events.points import (
    AwardData,
    ClawBackData,
    PointsClawedBack,
    PointsEarned,
    PointsEvent,
    PointsExchanged,
    PointsLapsed,
    PointsPending,
    PointsReleased,
    ReceiptMoved,
)
from shared.events.redemptions import RedemptionRefunded
from shared.events.tiers import TierChanged
from shared.point_types import PointTypes

# A message names the version that it was opened with; a published version never changes.
TEMPLATE: Final = "points_news"
TEMPLATE_VERSION: Final = 1

NewsKind: TypeAlias = Literal[
    "tier",
    "owed",
    "expiring",
    "expired",
    "lapsed",
    "set_aside",
    "released",
    "given_back",
    "forgiven",
    "given",
    "event",
    "moved_here",
    "corrected_more",
    "taken",
    "event_undone",
    "moved_away",
    "corrected_less",
]
# What a message takes off what is owed, and tells not by itself.
REPAID: Final = "repaid"
FactKind: TypeAlias = NewsKind | Literal["repaid"]
# The order in which a message tells them.
KINDS: Final[Sequence[NewsKind]] = get_args(NewsKind)
LINES_MAX: Final = 20
# The cause of what a corrected receipt gives back.
CORRECTION: Final = "correction"


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that happened. ``name`` is a code of the programme's (a tier, a type of events), ``last_day`` the last
    one on which points can be spent. Without a ``point_type`` they are the programme's own points.
    """

    kind: FactKind
    points: int = 0
    name: str | None = None
    last_day: date | None = None
    point_type: str | None = None


@dataclass(frozen=True, slots=True)
class News:
    """A fact and whose it is. The id of the event that told it is its identity, for good."""

    event_id: UUID
    member_id: UUID
    fact: Fact
    occurred_at: datetime
    traceparent: str | None


@dataclass(frozen=True, slots=True)
class PointsNews:
    """All that the template may say, in the order in which it says it; what is alike is one line. Nothing, where what
    was owed is repaid by the time that it is told.
    """

    lines: tuple[Fact, ...]

    @property
    def only(self) -> Fact | None:
        """What the message is about where it is about one thing."""
        return self.lines[0] if len(self.lines) == 1 else None


def repaid_by(event: RedemptionRefunded, types: PointTypes) -> News | None:
    """What a refund paid of what its member owed, as when goods came back that points had paid for: what they had
    earned is taken back on one topic, and what was spent is given back on the other. None where it paid nothing, or
    paid others too, who lent points.
    """
    data = event.data
    if not data.debt_cleared or data.pooled or not types.is_spent(data.point_type):
        return None
    point_type = None if data.point_type == types.own else data.point_type
    fact = Fact(REPAID, data.debt_cleared, point_type=point_type)
    return News(event.id, data.member_id, fact, event.time, event.traceparent)


def news_of(event: PointsEvent, types: PointTypes) -> News | None:
    """What an event is to its member; None where it is no news, or of points that only count."""
    fact_of = _corrected if is_correction(event) else NEWS.get(type(event))
    data: Any = event.data
    point_type = types.own if isinstance(event, TierChanged) else data.point_type
    if fact_of is None or not types.is_spent(point_type):
        return None
    fact = fact_of(data)
    if fact is None:
        return None
    if point_type != types.own:
        fact = replace(fact, point_type=point_type)
    return News(event.id, data.member_id, fact, event.time, event.traceparent)


def _some(kind: NewsKind, points: int, *, name: str | None = None, last_day: date | None = None) -> Fact | None:
    return Fact(kind, points, name, last_day) if points > 0 else None


def is_correction(event: PointsEvent) -> bool:
    """Whether it tells of points that a receipt earns besides, being corrected: that is no purchase of its own."""
    return isinstance(event, PointsEarned) and event.data.original_receipt_id is not None


def _corrected(data: AwardData) -> Fact | None:
    return _some("corrected_more", data.points)


def _taken_back(data: ClawBackData) -> Fact | None:
    """A return's points are seen at the till; what is owed since then is not, nor is what a correction takes."""
    if data.cause == CORRECTION:
        return _some("corrected_less", data.points)
    return _some("owed", data.became_debt)


# Which events are news, and what they say. What receipts earn is told by digests, but for what a correction adds.
NEWS: Final[Mapping[type[Event], Callable[[Any], Fact | None]]] = {
    TierChanged: lambda data: Fact("tier", name=data.new_tier),
    PointsExpiring: lambda data: _some("expiring", data.points, last_day=data.expires_on - timedelta(days=1)),
    PointsExpired: lambda data: _some("expired", data.points),
    PointsLapsed: lambda data: _some("lapsed", data.points),
    PointsPending: lambda data: _some("set_aside", data.points),
    PointsReleased: lambda data: _some("released", data.points),
    PointsAdjusted: lambda data: _some("given" if data.points > 0 else "taken", abs(data.points)),
    PointsClawedBack: _taken_back,
    PointsExchanged: lambda data: _some("owed", data.became_debt),
    PointsReinstated: lambda data: _some("given_back", data.points),
    DebtWrittenOff: lambda data: _some("forgiven", data.points),
    ReceiptMoved: lambda data: _some("moved_here" if data.direction == "to" else "moved_away", data.points),
    MemberEventRecorded: lambda data: _some("event", data.points, name=data.type_code),
    MemberEventRevoked: lambda data: _some("event_undone", data.points, name=data.type_code),
    MemberEventSettled: lambda data: _some(data.outcome, data.points),
}


def fold_news(told: Iterable[tuple[datetime, Fact]]) -> PointsNews:
    """One message from what happened, whatever the order in which it was heard.

    Of tiers the last one counts, and of points that expire on one day what was left when it was told last; all other
    points are added up by kind, name and type. What is owed is told less what was repaid since. Lines beyond
    ``LINES_MAX`` are left out: they are the least urgent ones.
    """
    in_order = [fact for _, fact in sorted(told, key=lambda one: (one[0], _rank(one[1].kind), one[1].points))]
    lines: dict[tuple[object, ...], Fact] = {}
    for fact in in_order:
        match fact.kind:
            case "tier":
                lines["tier",] = fact
            case "expiring":
                lines["expiring", fact.last_day, fact.point_type] = fact
            case _:
                key = fact.kind, fact.name, fact.point_type
                before = lines.get(key)
                points = fact.points if before is None else before.points + fact.points
                lines[key] = Fact(fact.kind, points, fact.name, point_type=fact.point_type)
    ranked = sorted(
        _less_repaid(lines),
        key=lambda fact: (
            _rank(fact.kind),
            fact.last_day or date.max,
            fact.name or "",
            fact.point_type or "",
        ),
    )
    return PointsNews(tuple(ranked[:LINES_MAX]))


def _less_repaid(lines: Mapping[tuple[object, ...], Fact]) -> list[Fact]:
    """The lines that are told. What was owed before this message, and is repaid now, is no line of it."""
    told = []
    for fact in lines.values():
        if fact.kind == "owed":
            repaid = lines.get((REPAID, None, fact.point_type))
            left = fact.points - (0 if repaid is None else repaid.points)
            told += [replace(fact, points=left)] if left > 0 else []
        elif fact.kind != REPAID:
            told.append(fact)
    return told


def _rank(kind: FactKind) -> int:
    return len(KINDS) if kind == REPAID else KINDS.index(kind)
