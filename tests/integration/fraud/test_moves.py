"""Receipts that were moved to another member: they count for whose they are, whatever is heard first."""

from itertools import permutations
from uuid import UUID

import httpx2

from services.fraud.consumer import MemberHandler, wants_move
from services.fraud.domain.rule_set import ACTIVE_RULE_SET
from services.fraud.repository import windows
from services.fraud.use_cases.follow_moves import follow_moves
from services.fraud.use_cases.score_purchases import score_purchases
from shared.database import Transaction
from shared.events.catalogue import MEMBERS
from shared.events.fraud import CaseOpened, PointsHoldReleased, PointsHoldRequested
from tests.support.fraud import member, moved, purchase, receipt_id, receipt_key
from tests.support.fraud_service import ZONE, Scoring, batch_of
from tests.support.interleaving import interleave
from tests.support.member_events import erased
from tests.support.receipts import merged_into
from tests.support.registries import bearing

MINE, THEIRS, THIRD = 1, 2, 3


async def window_of(scoring: Scoring, number: int) -> set[bytes]:
    async def look(transaction: Transaction) -> set[bytes]:
        await windows.lock(transaction, [member(number)])
        states, _ = await windows.load(transaction, [member(number)])
        return {receipt.receipt_key for receipt in states[member(number)].receipts}

    return await scoring.database.run(look)


def keys(*numbers: int) -> set[bytes]:
    return {receipt_key(number) for number in numbers}


async def case_of(client: httpx2.AsyncClient, case_id: UUID) -> dict[str, dict[str, object]]:
    answer = await client.get(f"/v1/cases/{case_id}", headers=bearing("cases:read"))
    return {each["receipt_id"]: each for each in answer.json()["held_receipts"]}


async def test_a_moved_receipt_leaves_one_window_and_is_judged_in_the_other(scoring: Scoring) -> None:
    await scoring.take(purchase(1), purchase(2), purchase(4, of=THEIRS))
    await scoring.follow(moved(1, MINE, THEIRS), moved(1, MINE, THEIRS, direction="from"), moved(2, MINE, THEIRS))

    assert (await window_of(scoring, MINE), await window_of(scoring, THEIRS)) == (set(), keys(1, 2, 4))
    told = await scoring.told()
    assert [event.data.member_id for event in told if isinstance(event, CaseOpened)] == [member(THEIRS)]
    holds = [event.data for event in told if isinstance(event, PointsHoldRequested)]
    assert {(hold.member_id, hold.receipt_id, hold.version) for hold in holds} == {
        (member(THEIRS), receipt_id(number), 1) for number in (1, 2, 4)
    }
    await scoring.take(purchase(5), purchase(6))  # with the two that went it would have been the third of the shift
    assert await scoring.told() == told


async def test_whatever_is_heard_first_the_receipt_counts_once_for_whose_it_is(scoring: Scoring) -> None:
    for number, order in enumerate(permutations(range(4)), start=100):
        steps = (
            purchase(number, by=None),
            moved(number, MINE, THEIRS, direction="from"),
            moved(number, MINE, THEIRS),
            moved(number, THEIRS, THIRD, nth=2),
        )
        for step in (*order, *order[:2]):
            event = steps[step]
            await (scoring.take(event) if step == 0 else scoring.follow(event))  # type: ignore[arg-type]
    assert not await window_of(scoring, MINE)
    assert not await window_of(scoring, THEIRS)
    assert await window_of(scoring, THIRD) == keys(*range(100, 124))
    assert {(row[1], row[0]) for row in (await scoring.left())["decisions"]} == {
        (member(THIRD), key) for key in keys(*range(100, 124))
    }


async def test_a_hold_for_the_former_members_case_is_lifted_and_the_case_shows_what_went(
    scoring: Scoring, client: httpx2.AsyncClient
) -> None:
    await scoring.take(purchase(1), purchase(2), purchase(3))
    case_id = next(event.data.case_id for event in await scoring.told() if isinstance(event, CaseOpened))
    before = len(await scoring.told())
    for _ in range(2):
        await scoring.follow(moved(3, MINE, THEIRS))

    later = (await scoring.told())[before:]
    assert [(event.data.member_id, event.data.receipt_id, event.data.version) for event in later] == [  # type: ignore[union-attr]
        (member(THEIRS), receipt_id(3), 2)
    ]
    assert isinstance(later[0], PointsHoldReleased)
    assert later[0].data.reason == "receipt_moved"
    held = await case_of(client, case_id)
    assert {one: each["moved_at"] is not None for one, each in held.items()} == {
        receipt_id(1): False,
        receipt_id(2): False,
        receipt_id(3): True,
    }
    body, headers = {"outcome": "confirmed"}, bearing("cases:write") | {"Idempotency-Key": "close"}
    assert (await client.post(f"/v1/cases/{case_id}/close", json=body, headers=headers)).status_code == 200
    closed = (await scoring.told())[before + 1 :]
    held_on = {event.data.receipt_id for event in closed if isinstance(event, PointsHoldRequested)}
    assert held_on == {receipt_id(1), receipt_id(2)}
    answer = (await client.get(f"/v1/decisions/{receipt_id(3)}", headers=bearing("cases:read"))).json()
    assert (answer["member_id"], answer["action"], answer["hold"]["version"]) == (str(member(THEIRS)), "none", 2)
    assert [(each["member_id"], each["action"]) for each in answer["former"]] == [(str(member(MINE)), "hold")]
    data = await client.get(f"/v1/members/{member(MINE)}/data?section=holds", headers=bearing("members:data"))
    assert receipt_id(1) in data.text
    assert receipt_id(3) not in data.text


async def test_what_is_held_for_both_members_goes_on_under_a_higher_version(scoring: Scoring) -> None:
    await scoring.take(*(purchase(number) for number in (1, 2, 3)), purchase(4, of=THEIRS), purchase(5, of=THEIRS))
    before = len(await scoring.told())
    await scoring.follow(moved(3, MINE, THEIRS))

    later = [event.data for event in (await scoring.told())[before:] if isinstance(event, PointsHoldRequested)]
    assert {(hold.receipt_id, hold.member_id, hold.version) for hold in later} == {
        (receipt_id(3), member(THEIRS), 3),  # lifted (2) and held in one commit: only what is in force then is told
        (receipt_id(4), member(THEIRS), 1),
        (receipt_id(5), member(THEIRS), 1),
    }
    assert not any(isinstance(event, PointsHoldReleased) for event in (await scoring.told())[before:])
    await scoring.follow(moved(3, THEIRS, MINE, nth=2))  # and back: into the case that is still open
    assert await window_of(scoring, MINE) == keys(1, 2, 3)
    back = [event.data for event in await scoring.told() if isinstance(event, PointsHoldRequested)][-1]
    assert (back.receipt_id, back.member_id, back.version) == (receipt_id(3), member(MINE), 5)


async def test_a_purchase_that_is_scored_meanwhile_meets_the_move(scoring: Scoring) -> None:
    async def move(transaction: Transaction) -> None:
        await follow_moves(transaction, [moved(1, MINE, THEIRS)], ACTIVE_RULE_SET)

    async def score(transaction: Transaction) -> None:
        await score_purchases(transaction, [purchase(1)], ACTIVE_RULE_SET, ZONE)

    await interleave(scoring.database, score, move)
    assert (await window_of(scoring, MINE), await window_of(scoring, THEIRS)) == (set(), keys(1))


async def test_a_move_names_who_was_merged_away_or_erased(scoring: Scoring) -> None:
    await scoring.take(*(purchase(number) for number in (1, 2, 3)))
    of_members = MemberHandler(scoring.database)
    await of_members.handle(batch_of([merged_into(member(THIRD), member(THEIRS))], MEMBERS.topic))
    await scoring.follow(moved(1, MINE, THEIRS))
    assert (await window_of(scoring, THEIRS), await window_of(scoring, THIRD)) == (set(), keys(1))

    await of_members.handle(batch_of([erased(member(4))], MEMBERS.topic))
    await scoring.follow(moved(2, MINE, 4))
    assert (await window_of(scoring, MINE), await window_of(scoring, 4)) == (keys(3), set())


def test_moves_alone_are_read_of_points() -> None:
    assert wants_move({"type": b"loyalty.receipt.moved.v1"})
    assert not wants_move({"type": b"loyalty.points.earned.v1"})
