"""A receipt that changed its member: it leaves one window and is judged in the other. Pure."""

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple
from uuid import UUID

from services.fraud.domain.decide import decide
from services.fraud.domain.member_state import MemberState
from services.fraud.domain.outcomes import Effects
from services.fraud.domain.receipts import ReceiptFact
from services.fraud.domain.rule_set import RuleSet


class Departure(NamedTuple):
    """A receipt that was decided under one member and is another's after so many ``moves``."""

    receipt_key: bytes
    from_member_id: UUID
    to_member_id: UUID
    moves: int


def follow(
    departures: Iterable[Departure],
    states: Mapping[UUID, MemberState],
    erased: Collection[UUID],
    rule_set: RuleSet,
) -> tuple[dict[UUID, MemberState], Effects]:
    """Let receipts leave the windows in which they are, and decide each anew as a late one of the new member's.

    What they helped to find under the former member stands: that is a person's to take back. One that the former window
    has forgotten is judged nowhere, and one of whom was erased counts for nobody.
    """
    after = dict(states)
    parts: list[Effects] = []
    for departure in departures:
        former = after[departure.from_member_id]
        receipt = former.find(departure.receipt_key)
        if receipt is None:
            continue
        after[departure.from_member_id] = former.without(departure.receipt_key)
        to_id = departure.to_member_id
        if to_id not in erased:
            fact = ReceiptFact(to_id, receipt.moved(departure.moves))
            after[to_id], effects = decide(fact, after[to_id], rule_set)
            parts.append(effects)
    return after, Effects.joined(parts)
