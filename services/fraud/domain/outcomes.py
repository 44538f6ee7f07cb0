"""What rules say, and what follows from it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from services.fraud.domain.receipts import Receipt


class Action(StrEnum):
    """What is asked for: ``FLAG`` is for people and models to read, ``HOLD`` sets the award aside and opens a case."""

    NONE = "none"
    FLAG = "flag"
    HOLD = "hold"


ACTIONS_BY_WEIGHT = (Action.HOLD, Action.FLAG, Action.NONE)


class Result(StrEnum):
    """``INSUFFICIENT``: the facts at hand could not tell a hit from none, which is not the same as none."""

    HIT = "hit"
    NO_HIT = "no_hit"
    INSUFFICIENT = "insufficient"


class Check(NamedTuple):
    """One figure that a rule looks at. It is met when the observed figure is at least the threshold."""

    name: str
    threshold: int
    window: str


class Finding(NamedTuple):
    """What one rule found on one receipt.

    ``observed`` has one figure for each of the rule's checks, in their order. On a hit, ``telling`` is the index of
    the check that says it best, and ``evidence`` the natural keys of the receipts that led to it, in event order.
    """

    result: Result
    observed: tuple[int, ...]
    telling: int = 0
    evidence: tuple[bytes, ...] = ()


class Outcome(NamedTuple):
    """One rule's part of a decision, as it is recorded; checks and thresholds follow from the rule set's version."""

    rule_code: str
    result: Result
    observed: tuple[int, ...]


class Decision(NamedTuple):
    """What the rules said of one receipt.

    Where a receipt that came late raises a decision made before, ``caused_by`` names the late one, and there are
    outcomes only for the rules that it made a hit of: the others stay as they were recorded. ``moves``: how often the
    receipt had changed its member by then.
    """

    member_id: UUID
    receipt_key: bytes
    action: Action
    outcomes: tuple[Outcome, ...]
    caused_by: bytes
    moves: int = 0


class Signal(NamedTuple):
    """One rule that fired on one receipt, at most once ever. ``opened_by`` names the case that the rule asked for."""

    member_id: UUID
    receipt: Receipt
    rule_code: str
    action: Action
    observed: int
    threshold: int
    window: str
    opened_by: bytes | None
    caused_by: bytes


class NewCase(NamedTuple):
    """Something a person should look at: a member and the operator who served him, or (``NOBODY``) the member alone.
    Known by its rule and the receipt that opened it until it is given an id.
    """

    opened_by: bytes
    member_id: UUID
    operator_hash: str
    rule_code: str
    caused_by: bytes
    moves: int = 0  # of the receipt that opened it


class Hold(NamedTuple):
    """The award of one receipt is to be set aside, because of the case that ``opened_by`` names; once a receipt."""

    member_id: UUID
    receipt: Receipt
    opened_by: bytes
    rule_code: str
    caused_by: bytes


@dataclass(frozen=True, slots=True)
class Effects:
    """What a stretch of receipts led to, in the order in which it happened.

    ``decisions`` are of receipts seen for the first time; ``raised`` add to decisions made before.
    """

    decisions: Sequence[Decision] = ()
    raised: Sequence[Decision] = ()
    cases: Sequence[NewCase] = ()
    signals: Sequence[Signal] = ()
    holds: Sequence[Hold] = ()

    @classmethod
    def joined(cls, parts: Iterable["Effects"]) -> "Effects":
        """All of them, one after the other."""
        each = list(parts)
        return cls(
            decisions=[one for part in each for one in part.decisions],
            raised=[one for part in each for one in part.raised],
            cases=[one for part in each for one in part.cases],
            signals=[one for part in each for one in part.signals],
            holds=[one for part in each for one in part.holds],
        )
