"""What rules ask of members beside what was bought: as it was in force at each receipt's time. Set-based."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from services.accrual.domain.birthdays import near_birthday
from services.accrual.domain.earning_facts import EarningFacts, MemberFacts
from services.accrual.domain.member_versions import MemberState
from services.accrual.domain.rules import RuleSet
from services.accrual.domain.rules.needs import GroupName
from services.accrual.domain.rules.predicates_of_attributes import AttributeTest, attribute_holds
from services.accrual.domain.rules.predicates_of_member import BirthdayNear
from services.accrual.repository import member_attributes, member_versions, memberships
from services.accrual.use_cases.decide_documents import undecidable
from shared.database import Transaction
from shared.database.reads import Answer, Reads
from shared.events.purchases import PurchaseData

_NO_GROUPS = frozenset[GroupName]()
_NO_ATTRIBUTES = frozenset[AttributeTest]()


class Judged(NamedTuple):
    """A purchase that may be awarded, its member, and the rules that it will be judged by."""

    natural_key: bytes
    member_id: UUID
    purchase: PurchaseData
    rule_set: RuleSet


class AskedOfMembers(NamedTuple):
    """What was asked of members, each by natural key."""

    states: Answer[dict[bytes, MemberState]]
    groups: Answer[dict[bytes, frozenset[GroupName]]]
    attributes: Answer[dict[bytes, frozenset[AttributeTest]]]


def ask_of_members(reads: Reads, judged: Sequence[Judged]) -> AskedOfMembers:
    """Ask what members were whose rules ask: birthday, household, groups, attributes.

    What was in force stays so: what is told of a member later changes no receipt of before.
    """
    return AskedOfMembers(reads.ask(_states, judged), reads.ask(_groups, judged), reads.ask(_attributes, judged))


def member_facts(
    asked: AskedOfMembers,
    judged: Sequence[Judged],
    at_store: Mapping[bytes, EarningFacts],
    enrolled_at: Mapping[UUID, datetime],
    tiers: Mapping[bytes, str | None],
    tier_percents: Mapping[bytes, int],
) -> dict[bytes, MemberFacts]:
    """What was answered, by natural key, with when members joined, their tiers and what these multiply by. ``at_store``
    tells the zones.

    Raises:
        UndecidableError: a zone that a window names is not known.
    """
    states, groups, said = asked.states.value, asked.groups.value, asked.attributes.value
    with undecidable():
        return {
            key: MemberFacts(  # in the order of its fields: by name it takes twice as long
                _near_birthday(one, states[key], at_store[key]) if key in states else None,
                enrolled_at.get(one.member_id),
                tiers.get(key),
                key in states and states[key].household_id is not None,
                groups.get(key, _NO_GROUPS),
                said.get(key, _NO_ATTRIBUTES),
                tier_percents.get(key),
            )
            for one in judged
            for key in (one.natural_key,)
        }


async def _states(transaction: Transaction, judged: Sequence[Judged]) -> dict[bytes, MemberState]:
    asked = [one for one in judged if one.rule_set.needs.birthdays or one.rule_set.needs.household]
    if not asked:
        return {}
    found = await member_versions.load_at(transaction, _moments(asked))
    return dict(zip((one.natural_key for one in asked), found, strict=True))


async def _groups(transaction: Transaction, judged: Sequence[Judged]) -> dict[bytes, frozenset[GroupName]]:
    asked = [one for one in judged if one.rule_set.needs.groups]
    if not asked:
        return {}
    named = sorted({group for one in asked for group in one.rule_set.needs.groups})
    found = await memberships.load_at(transaction, _moments(asked), named)
    return {one.natural_key: groups for one, groups in zip(asked, found, strict=True)}


async def _attributes(transaction: Transaction, judged: Sequence[Judged]) -> dict[bytes, frozenset[AttributeTest]]:
    asked = [one for one in judged if one.rule_set.needs.attributes]
    if not asked:
        return {}
    codes = sorted({test.code for one in asked for test in one.rule_set.needs.attributes})
    found = await member_attributes.load_at(transaction, _moments(asked), codes)
    return {
        one.natural_key: frozenset(
            test for test in one.rule_set.needs.attributes if attribute_holds(test, says.get(test.code))
        )
        for one, says in zip(asked, found, strict=True)
    }


def _moments(asked: Sequence[Judged]) -> list[tuple[UUID, datetime]]:
    return [(one.member_id, one.purchase.occurred_at) for one in asked]


def _near_birthday(one: Judged, state: MemberState, facts: EarningFacts) -> dict[BirthdayNear, bool] | None:
    windows = one.rule_set.needs.birthdays
    if not windows or state.birth_month is None or state.birth_day is None:
        return None
    return near_birthday(windows, state.birth_month, state.birth_day, one.purchase.occurred_at, facts)
