"""Ranges of printed cards that are nobody's yet: which of them may be linked."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias
from uuid import UUID

from stdnum import luhn

from services.members.domain.cards import CheckDigit
from services.members.domain.errors import CardRangeStateError

RangeState: TypeAlias = Literal["printed", "issued", "withdrawn"]

# ``printed``: in a box. ``issued``: given to partners, who hand the cards out. ``withdrawn``: the batch was stolen or
# scrapped; what was linked of it before stays linked.
CHANGES: Mapping[RangeState, frozenset[RangeState]] = {
    "printed": frozenset({"issued", "withdrawn"}),
    "issued": frozenset({"withdrawn"}),
    "withdrawn": frozenset(),
}


@dataclass(frozen=True, slots=True)
class CardRange:
    """All card numbers from ``first_number`` to ``last_number``, both in normal form and of one length.

    ``links_before_issue``: a card of it may be linked while it is still only printed.
    """

    range_id: UUID
    batch: str
    first_number: str
    last_number: str
    check_digit: CheckDigit
    links_before_issue: bool
    state: RangeState


def judge_range_change(before: RangeState, after: RangeState) -> None:
    """Raises CardRangeStateError where one state may not follow the other; the same again is not asked here."""
    if after not in CHANGES[before]:
        raise CardRangeStateError(f"the range is {before}: it cannot be {after} any more")


def may_be_linked(found: CardRange, number: str) -> bool:
    """Whether a card of this range may become somebody's."""
    if found.check_digit == "luhn" and not luhn.is_valid(number):
        return False
    return found.state == "issued" or (found.state == "printed" and found.links_before_issue)
