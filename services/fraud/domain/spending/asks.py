"""What is asked of fraud before points leave, and what was asked before."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal, NamedTuple, TypeAlias
from uuid import UUID

AskKind: TypeAlias = Literal["hold", "gift"]

# The longest window that a rule over asks may have, and how many of it are looked at: whoever asks more often than
# that was denied long before.
ASKS_WINDOW = timedelta(hours=24)
ASKS_LOADED_MAX = 200


class Verdict(StrEnum):
    """``STEP_UP``: only once the member has confirmed it."""

    ALLOW = "allow"
    STEP_UP = "step_up"
    DENY = "deny"


VERDICTS_BY_WEIGHT = (Verdict.ALLOW, Verdict.STEP_UP, Verdict.DENY)


class Place(NamedTuple):
    """Where somebody wants to spend, as far as it is known. ``store_id`` is the partner's own."""

    partner_id: str | None = None
    store_id: str | None = None


class Ask(NamedTuple):
    """So many points of a type are to leave a member's account. ``decision_id`` is the asking service's own for it."""

    decision_id: UUID
    kind: AskKind
    member_id: UUID
    point_type: str
    points: int
    place: Place = Place()


class EarlierAsk(NamedTuple):
    """What was asked of the same member before, whatever the answer was: who is refused tries again."""

    points: int
    place: Place
    asked_at: datetime


class Known(NamedTuple):
    """What is known when an ask is decided, ``at`` that time: the asks of the 24 hours before, without this one.

    ``identifier_changed_at``: when a card, phone or app link was last added to those that the member had, or took the
    place of one; None where no other came after the first. ``contact_changed_at``: when the e-mail address last became
    another one.
    """

    at: datetime
    asks: Sequence[EarlierAsk]
    identifier_changed_at: datetime | None = None
    contact_changed_at: datetime | None = None
