"""Cashiers with cards of their own, as coalition tells of them: what it says of receipts, and until when."""

from datetime import timedelta

import httpx2

from services.fraud.consumer import MemberHandler
from services.fraud.domain.rule_set import RuleSet
from services.fraud.domain.rules.ins_swipe import InsSwipe
from services.fraud.domain.rules.vel_earn import VelEarn
from services.fraud.repository import rule_sets
from services.fraud.use_cases.score_purchases import ScoreReport, score_purchases
from shared.database import Transaction
from shared.events.catalogue import MEMBERS
from shared.events.fraud import CaseOpened, PointsHoldRequested, SignalRaised
from shared.events.members import MemberErased, MembersMerged
from shared.events.purchases import PurchaseRecorded
from tests.support.fraud import ANNA, BERT, MORNING, cashier, member, operator, purchase, receipt_id
from tests.support.fraud_service import ZONE, Scoring, batch_of
from tests.support.member_events import erased
from tests.support.receipts import card, merged_into
from tests.support.registries import bearing

OWN, NEW = card(1), card(2)
FIRST_RULES = RuleSet(version=1, rules=(InsSwipe(), VelEarn()))


def swiped(number: int, shown: str | None = OWN, *, by: str = ANNA, of: int = 1) -> PurchaseRecorded:
    """A receipt with a card, one a day."""
    return purchase(number, of=of, by=by, at=MORNING + timedelta(days=number), card=shown)


async def known_cards(scoring: Scoring) -> dict[str, tuple[int, list[str]]]:
    async with scoring.database.transaction() as transaction:
        rows = await transaction.raw.fetch("select operator_hash, version, own_card_hashes from operators")
    return {row["operator_hash"]: (row["version"], row["own_card_hashes"]) for row in rows}


async def hear_of_members(scoring: Scoring, *events: MemberErased | MembersMerged) -> None:
    await MemberHandler(scoring.database).handle(batch_of(events, MEMBERS.topic))


async def signals(scoring: Scoring) -> list[tuple[str, int, int, str]]:
    return [
        (event.data.receipt_id, event.data.observed, event.data.threshold, event.data.window)
        for event in await scoring.told()
        if isinstance(event, SignalRaised)
    ]


async def test_three_swipes_of_an_own_card_are_held_however_far_apart(
    scoring: Scoring, client: httpx2.AsyncClient
) -> None:
    await scoring.register(cashier(ANNA, OWN, NEW))
    await scoring.take(swiped(1), swiped(2, NEW), swiped(3, card(9), by=BERT))
    assert await scoring.told() == []

    await scoring.take(swiped(4))

    opened, signal, *holds = await scoring.told()
    assert isinstance(opened, CaseOpened)
    assert isinstance(signal, SignalRaised)
    assert await signals(scoring) == [(receipt_id(4), 3, 3, "30d")]
    assert [hold.data.receipt_id for hold in holds if isinstance(hold, PointsHoldRequested)] == [
        receipt_id(number) for number in (1, 2, 4)
    ]
    answer = (await client.get(f"/v1/decisions/{receipt_id(4)}", headers=bearing("cases:read"))).json()
    assert (answer["action"], answer["rule_set_version"]) == ("hold", 3)
    assert answer["rules"][0]["checks"][4] == {
        "name": "own_card_receipts",
        "observed": 3,
        "threshold": 3,
        "window": "30d",
    }


async def test_a_customers_card_and_a_colleagues_are_no_own_card(scoring: Scoring) -> None:
    await scoring.register(cashier(ANNA, OWN), cashier(BERT))
    await scoring.take(*(swiped(number, NEW) for number in (1, 2, 3)), swiped(4, None))
    await scoring.take(*(swiped(number, OWN, by=BERT, of=2) for number in (5, 6, 7)))
    assert await scoring.told() == []


async def test_a_replay_and_an_old_version_after_a_new_one_change_nothing(scoring: Scoring) -> None:
    topic = [cashier(ANNA, OWN), cashier(BERT, NEW), cashier(ANNA, version=2), cashier(ANNA, NEW, version=3)]
    expected = {operator(ANNA): (3, [NEW]), operator(BERT): (1, [NEW])}
    await scoring.register(*topic)
    assert await known_cards(scoring) == expected
    for again in (topic, topic[:1], topic[2:3], topic[::-1], [cashier(ANNA, OWN, version=3)]):
        await scoring.register(*again)
        assert await known_cards(scoring) == expected


async def test_an_erased_members_card_is_forgotten_and_an_old_version_brings_it_back_for_nobody(
    scoring: Scoring,
) -> None:
    await scoring.register(cashier(ANNA, OWN), cashier(BERT, NEW))
    await hear_of_members(scoring, erased(member(1), OWN, card(7)))
    forgotten = {operator(ANNA): (1, []), operator(BERT): (1, [NEW])}
    assert await known_cards(scoring) == forgotten

    await scoring.register(cashier(ANNA, OWN))  # the topic again
    await hear_of_members(scoring, erased(member(1), OWN, card(7)))
    assert await known_cards(scoring) == forgotten

    await scoring.register(cashier(ANNA, version=2))  # what coalition tells of the erasure
    await scoring.register(cashier(ANNA, OWN))
    assert (await known_cards(scoring))[operator(ANNA)] == (2, [])


async def test_the_card_that_was_read_after_the_erasure_goes_with_what_coalition_tells_of_it(scoring: Scoring) -> None:
    await hear_of_members(scoring, erased(member(1), OWN))
    await scoring.register(cashier(ANNA, OWN), cashier(ANNA, version=2))
    await scoring.register(cashier(ANNA, OWN))
    assert (await known_cards(scoring))[operator(ANNA)] == (2, [])


async def test_swipes_of_two_members_who_are_one_count_together(scoring: Scoring) -> None:
    await scoring.register(cashier(ANNA, OWN, NEW))
    await scoring.take(swiped(1, OWN), swiped(2, NEW, of=2))
    await hear_of_members(scoring, merged_into(member(1), member(2)))
    await scoring.take(swiped(3, NEW, of=2))
    assert await signals(scoring) == [(receipt_id(3), 3, 3, "30d")]


async def test_decisions_of_the_first_rules_are_explained_by_them_and_what_is_raised_later_by_the_later(
    scoring: Scoring, client: httpx2.AsyncClient
) -> None:
    await scoring.database.run(lambda transaction: rule_sets.publish(transaction, FIRST_RULES))
    await scoring.register(cashier(ANNA, OWN))

    async def decide_by_the_first(transaction: Transaction) -> ScoreReport:
        return await score_purchases(transaction, [swiped(2), swiped(3)], FIRST_RULES, ZONE)

    await scoring.database.run(decide_by_the_first)
    path = f"/v1/decisions/{receipt_id(3)}"
    before = (await client.get(path, headers=bearing())).json()
    assert (before["rule_set_version"], before["rule_set_digest"]) == (1, FIRST_RULES.digest)
    assert [(rule["rule_code"], len(rule["checks"])) for rule in before["rules"]] == [("INS_SWIPE", 4), ("VEL_EARN", 1)]

    await scoring.take(swiped(1))  # comes late, and under the rules of now it makes a hit of the third

    after = (await client.get(path, headers=bearing())).json()
    assert (after["action"], after["rule_set_version"], after["raised_by_receipt_id"]) == ("hold", 1, receipt_id(1))
    velocity, swipe = after["rules"]
    assert velocity == before["rules"][1]
    assert (swipe["rule_code"], swipe["rule_set_version"], swipe["result"]) == ("INS_SWIPE", 3, "hit")
    assert [check["observed"] for check in swipe["checks"]] == [1, 0, 0, 0, 3]
