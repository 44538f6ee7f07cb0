"""What rules ask of members beside what was bought: as it was in force at each receipt's time. Set-based."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from services.accrual.domain.birthdays import near_birthday
from services.accrual.domain.earning_facts import EarningFacts, MemberFacts
from services.accrual.domain.member_versions import MemberState
from services.accrual.domain.rules import RuleSet
from services.accrual.domain.rules.needs import GroupName
from services.accrual.repository import member_versions, memberships
from services.accrual.use_cases.decide_documents import undecidable
from shared.database import Transaction
from shared.events.purchases import PurchaseData


class Judged(NamedTuple):
    """A purchase that may be awarded, its member, and the rules that it will be judged by."""

    natural_key: bytes
    member_id: UUID
    purchase: PurchaseData
    rule_set: RuleSet


async def load_member_facts(
    transaction: Transaction, judged: Sequence[Judged], at_store: Mapping[bytes, EarningFacts]
) -> dict[bytes, MemberFacts]:
    """Birthdays, households and groups of those whose rules ask, by natural key; ``at_store`` tells the zones.

    What was in force stays so: what is told of a member later changes no receipt of before.

    Raises:
        UndecidableError: a zone that a window names is not known.
    """
    states = await _states(transaction, judged)
    groups = await _groups(transaction, judged)
    with undecidable():
        return {
            one.natural_key: _facts(
                one, states.get(one.natural_key, MemberState()), at_store[one.natural_key]
            )._replace(groups=groups.get(one.natural_key, frozenset()))
            for one in judged
        }


async def _states(transaction: Transaction, judged: Sequence[Judged]) -> dict[bytes, MemberState]:
    asked = [one for one in judged if one.rule_set.needs.birthdays or one.rule_set.needs.household]
    if not asked:
        return {}
    found = await member_versions.load_at(transaction, [(one.member_id, one.purchase.occurred_at) for one in asked])
    return dict(zip((one.natural_key for one in asked), found, strict=True))


async def _groups(transaction: Transaction, judged: Sequence[Judged]) -> dict[bytes, frozenset[GroupName]]:
    asked = [one for one in judged if one.rule_set.needs.groups]
    if not asked:
        return {}
    named = sorted({group for one in asked for group in one.rule_set.needs.groups})
    moments = [(one.member_id, one.purchase.occurred_at) for one in asked]
    found = await memberships.load_at(transaction, moments, named)
    return {one.natural_key: groups for one, groups in zip(asked, found, strict=True)}


def _facts(one: Judged, state: MemberState, facts: EarningFacts) -> MemberFacts:
    near = None
    if one.rule_set.needs.birthdays and state.birth_month is not None and state.birth_day is not None:
        windows, at = one.rule_set.needs.birthdays, one.purchase.occurred_at
        near = near_birthday(windows, state.birth_month, state.birth_day, at, facts)
    return MemberFacts(near_birthday=near, is_in_household=state.household_id is not None)
