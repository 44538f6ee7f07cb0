"""What rules ask of members is what was in force at the receipt's time, whatever is told later or again."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from services.accrual.domain.decisions import Awarded
from services.accrual.domain.rule_faults import find_faults
from services.accrual.domain.rules import RuleSet
from services.accrual.domain.trace import trace_in_words
from services.accrual.repository.known_names import load_known
from services.accrual.use_cases.show_receipt import show_receipt
from shared.events.members import (
    AttributeData,
    AttributeDeclared,
    AttributeOfMemberData,
    ErasureData,
    MemberAttributeChanged,
    MemberChanged,
    MemberData,
    MemberEnrolled,
    MemberErased,
)
from shared.events.purchases import PurchaseRecorded
from shared.ids import new_id
from tests.support.accrual import Accrual, begun_accrual
from tests.support.databases import FreshDatabase
from tests.support.receipts import NOON, document, member, merged_into, purchase

HOME = UUID(int=77)
HOUR = timedelta(hours=1)


def fixed(rule_id: str, points: int, predicate: dict[str, object]) -> dict[str, object]:
    effect = {"kind": "fixed_points", "points": points}
    return {"id": rule_id, "name": rule_id, "condition": {"when": predicate}, "effect": effect}


RULE_SET = RuleSet.model_validate(
    {
        "version": 1,
        "effective_from": datetime(2020, 1, 1, tzinfo=UTC),
        "rules": [
            fixed("family", 1, {"kind": "household"}),
            fixed("birthday", 10, {"kind": "birthday", "days_before": 1, "zone": "store"}),
            fixed("car", 100, {"kind": "attribute", "code": "car", "values": ["electric"]}),
        ],
    }
)
numbers = iter(range(1, 1_000))


@pytest.fixture(scope="module")
async def accrual(module_database: FreshDatabase) -> AsyncIterator[Accrual]:
    async with begun_accrual(module_database, RULE_SET) as accrual:
        yield accrual


def told(
    owner: UUID, version: int, at: datetime, household: UUID | None = None, day: int | None = None
) -> MemberEnrolled | MemberChanged:
    """A member as it stands at a version; born on a day of November."""
    born = {"birth_month": 11, "birth_day": day} if day is not None else {}
    data = MemberData(member_id=owner, version=version, status="active", household_id=household, **born)
    if version == 1:
        return MemberEnrolled(id=new_id(), source="test", subject=str(owner), time=at, data=data)
    return MemberChanged(id=new_id(), source="test", subject=str(owner), time=at, data=data)


def bought(owner: UUID, at: datetime = NOON) -> PurchaseRecorded:
    return purchase(next(numbers), 1_000, owner=owner, occurred_at=at)


async def points_of(accrual: Accrual, event: PurchaseRecorded) -> int:
    return (await accrual.award(event)).points


async def test_a_receipt_is_judged_by_the_household_of_its_time(accrual: Accrual) -> None:
    owner = member(next(numbers))
    joined, left = NOON + HOUR, NOON + 3 * HOUR
    history = (told(owner, 1, NOON), told(owner, 2, joined, HOME), told(owner, 3, left))
    await accrual.members(*history)
    await accrual.members(history[1])  # a replay of what is outdated

    moments = (NOON, joined - timedelta(microseconds=1), joined, left - timedelta(microseconds=1), left)
    assert [await points_of(accrual, bought(owner, at)) for at in moments] == [0, 0, 1, 1, 0]


async def test_a_birthday_that_is_told_anew_changes_no_receipt_of_before(accrual: Accrual) -> None:
    owner = member(next(numbers))
    await accrual.members(told(owner, 1, NOON, day=1))
    before = bought(owner)
    assert await points_of(accrual, before) == 10

    await accrual.members(told(owner, 2, NOON + HOUR, day=20))

    assert await points_of(accrual, bought(owner, NOON + HOUR)) == 0  # no second birthday
    assert await points_of(accrual, bought(owner, NOON + timedelta(minutes=5))) == 10  # it comes late, as it was then
    async with accrual.database.transaction() as transaction:
        story = await show_receipt(transaction, document(before).natural_key, accrual.rules)
    assert story.evaluation is not None
    assert story.evaluation.points == 10
    assert "a receipt gives 10" in " ".join(trace_in_words(story.evaluation, RULE_SET, "USD"))


async def test_the_birthday_itself_is_nowhere_in_what_an_award_keeps(accrual: Accrual) -> None:
    owner = member(next(numbers))
    await accrual.members(told(owner, 1, NOON, day=2))
    event = bought(owner)
    await accrual.award(event)

    async with accrual.database.transaction() as transaction:
        decision = await transaction.raw.fetchval(
            "select decision from awards where natural_key = $1", document(event).natural_key
        )
    assert b'"d":"1"' in decision


async def test_a_preview_asks_what_the_worker_asks(accrual: Accrual) -> None:
    owner = member(next(numbers))
    await accrual.members(told(owner, 1, NOON, HOME, day=1))

    decision = await accrual.preview(bought(owner))

    assert isinstance(decision, Awarded)
    assert decision.evaluation.points == 11


async def test_of_who_is_merged_away_or_erased_nothing_is_kept_or_comes_back(accrual: Accrual) -> None:
    survivor, gone, erased = (member(next(numbers)) for _ in range(3))
    history = [told(owner, 1, NOON, day=1) for owner in (survivor, gone, erased)]
    await accrual.members(*history)
    await accrual.members(merged_into(survivor, gone, version=5))
    erasure = ErasureData(member_id=erased, version=5, identifier_hashes=())
    await accrual.members(MemberErased(id=new_id(), source="test", subject=str(erased), time=NOON, data=erasure))
    await accrual.members(*history, told(erased, 9, NOON, day=1))

    async with accrual.database.transaction() as transaction:
        kept = await transaction.raw.fetch(
            "select member_id from member_versions where member_id = any($1::uuid[])", [survivor, gone, erased]
        )
    assert [row["member_id"] for row in kept] == [survivor]
    assert await points_of(accrual, bought(gone)) == 10  # judged as the survivor


def declared(code: str, value_type: str, *choices: str) -> AttributeDeclared:
    data = AttributeData.model_validate({"code": code, "version": 1, "value_type": value_type, "choices": choices})
    return AttributeDeclared(id=new_id(), source="test", subject=code, time=NOON, data=data)


def says(owner: UUID, version: int, at: datetime, text: str | None) -> MemberAttributeChanged:
    """What a member has under the attribute car."""
    data = AttributeOfMemberData(member_id=owner, version=version, code="car", says=text)
    return MemberAttributeChanged(id=new_id(), source="test", subject=str(owner), time=at, data=data)


async def test_an_attribute_counts_from_when_it_was_told_until_it_is_taken_away(accrual: Accrual) -> None:
    owner = member(next(numbers))
    history = (says(owner, 1, NOON + HOUR, "electric"), says(owner, 2, NOON + 2 * HOUR, None))
    await accrual.members(told(owner, 1, NOON), *history)
    await accrual.members(history[0])

    moments = (NOON, NOON + HOUR, NOON + 2 * HOUR)
    assert [await points_of(accrual, bought(owner, at)) for at in moments] == [0, 100, 0]


async def test_what_was_said_of_who_is_gone_is_forgotten(accrual: Accrual) -> None:
    survivor, gone, erased = (member(next(numbers)) for _ in range(3))
    for owner in (survivor, gone, erased):
        await accrual.members(told(owner, 1, NOON), says(owner, 1, NOON, "electric"))
    await accrual.members(merged_into(survivor, gone, version=5))
    erasure = ErasureData(member_id=erased, version=5, identifier_hashes=())
    await accrual.members(MemberErased(id=new_id(), source="test", subject=str(erased), time=NOON, data=erasure))
    await accrual.members(says(gone, 9, NOON, "petrol"), says(erased, 9, NOON, "petrol"))

    async with accrual.database.transaction() as transaction:
        kept = await transaction.raw.fetch(
            "select member_id from member_attribute_versions where member_id = any($1::uuid[])",
            [survivor, gone, erased],
        )
    assert [row["member_id"] for row in kept] == [survivor]


@pytest.mark.parametrize(
    ("test", "faults"),
    [
        ({"kind": "attribute", "code": "car", "values": ["petrol", "electric"]}, []),
        ({"kind": "attribute", "code": "car", "values": ["petrol", "steam"]}, ["/values/1"]),
        ({"kind": "attribute_number", "code": "car", "at_least": "2"}, ["/kind"]),
        ({"kind": "attribute_number", "code": "children", "at_most": "2.5"}, []),
        ({"kind": "attribute", "code": "vegan", "values": ["true"]}, []),
        ({"kind": "attribute", "code": "vegan", "values": ["yes"]}, ["/values/0"]),
        ({"kind": "attribute", "code": "nickname", "values": ["a"]}, ["/code"]),
    ],
)
async def test_a_draft_asks_for_attributes_as_they_were_declared(
    accrual: Accrual, test: dict[str, object], faults: list[str]
) -> None:
    choices = ("electric", "petrol")
    await accrual.members(
        declared("car", "choice", *choices), declared("children", "number"), declared("vegan", "boolean")
    )
    async with accrual.database.transaction() as transaction:
        known = await load_known(transaction, [], None)

    found = find_faults({"rules": [fixed("a", 1, test)]}, known)

    assert [fault.pointer.removeprefix("/rules/0/condition/when") for fault in found] == faults
