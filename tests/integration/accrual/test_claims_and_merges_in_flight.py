"""A claim, a return, an enrolment or a merge that meets another one in flight: whoever comes second finds the first.

Beside ``test_races.py``, in the same manner: two transactions on two connections, the second running into the first.
"""

from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import count, permutations
from uuid import UUID

import pytest

from services.accrual.domain.receipt_claims import ClaimantNotReadyError, ClaimTerms, Proof, ReceiptClaimedError
from services.accrual.use_cases.claim_receipt import claim_receipt
from services.accrual.use_cases.load_facts import MeetingRowsNeededError
from services.accrual.use_cases.project_members import project_members
from shared.database import Transaction
from shared.database.errors import StartAgainError
from shared.events.purchases import PurchaseRecorded, ReturnRecorded
from shared.ledger import Balances
from shared.receipt_key import natural_key_of
from tests.support.accrual import PROGRAMME, Accrual, begun_accrual
from tests.support.accrual_members import joined, new_member
from tests.support.databases import FreshDatabase
from tests.support.interleaving import Work, interleave
from tests.support.ledger_database import verified
from tests.support.receipts import NOON, card, enrolled, linked, merged_into, purchase, return_of

PROOF = Proof(1000, NOON.date())
TERMS = ClaimTerms(window=timedelta(days=60), fraud_wait=timedelta())  # what fraud says is another test's
_numbers = count(1)


@pytest.fixture(scope="module")
async def accrual(module_database: FreshDatabase) -> AsyncIterator[Accrual]:
    async with begun_accrual(module_database) as accrual:
        yield accrual


@pytest.fixture
async def anna(accrual: Accrual) -> UUID:
    return await joined(accrual)


@pytest.fixture
async def receipt(accrual: Accrual) -> PurchaseRecorded:
    """Of ten dollars, and nobody's."""
    receipt = purchase(next(_numbers), 1000)
    await accrual.award(receipt)
    return receipt


def claim(receipt: PurchaseRecorded, owner: UUID) -> Work:
    key = natural_key_of(receipt.data.receipt_id)
    return lambda transaction: claim_receipt(transaction, key, owner, PROOF, "support", PROGRAMME, TERMS)


def award(accrual: Accrual, *events: PurchaseRecorded | ReturnRecorded) -> Work:
    return lambda transaction: accrual.award_in(transaction, events)


def refused(work: Work, error: type[Exception]) -> Work:
    """The work, which must end with this error."""

    async def attempt(transaction: Transaction) -> None:
        with pytest.raises(error):
            await work(transaction)

    return attempt


async def decide_what_was_released(accrual: Accrual) -> None:
    """Round after round, since a purchase lets its returns go."""
    while released := await accrual.released():
        await accrual.award(*released)


async def test_of_two_claims_at_once_the_second_finds_the_first(
    accrual: Accrual, anna: UUID, receipt: PurchaseRecorded
) -> None:
    bert = await joined(accrual)

    await interleave(accrual.database, claim(receipt, anna), refused(claim(receipt, bert), ReceiptClaimedError))
    await decide_what_was_released(accrual)

    assert await accrual.balance(anna) == Balances(available=10)
    assert await accrual.balance(bert) == Balances()


async def test_a_claim_for_somebody_who_is_being_enrolled_is_made_again_and_loses_nothing(
    accrual: Accrual, receipt: PurchaseRecorded
) -> None:
    await accrual.drain()
    new = new_member()
    async with accrual.database.transaction() as enrolling:
        await project_members(enrolling, [enrolled(new)])
        with pytest.raises(ClaimantNotReadyError):  # it is told so at once, and waits for nobody
            await accrual.database.run(claim(receipt, new))

    await accrual.database.run(claim(receipt, new))
    await decide_what_was_released(accrual)
    assert await accrual.balance(new) == Balances(available=10)


@pytest.mark.parametrize("is_claim_first", [True, False])
async def test_the_till_sends_the_receipt_again_while_it_is_being_claimed(
    accrual: Accrual, anna: UUID, receipt: PurchaseRecorded, is_claim_first: bool
) -> None:
    both = claim(receipt, anna), award(accrual, receipt)
    await interleave(accrual.database, *(both if is_claim_first else reversed(both)))
    await decide_what_was_released(accrual)
    await accrual.award(receipt)

    assert await accrual.balance(anna) == Balances(available=10)


@pytest.mark.parametrize("is_claim_first", [True, False])
async def test_its_goods_come_back_while_a_receipt_is_being_claimed(
    accrual: Accrual, anna: UUID, receipt: PurchaseRecorded, is_claim_first: bool
) -> None:
    both = claim(receipt, anna), award(accrual, return_of(receipt, next(_numbers), {1: 400}))
    await interleave(accrual.database, *(both if is_claim_first else reversed(both)))
    await decide_what_was_released(accrual)

    assert await accrual.balance(anna) == Balances(available=6)


async def test_the_claimant_is_merged_away_while_the_claim_waits(
    accrual: Accrual, anna: UUID, receipt: PurchaseRecorded
) -> None:
    anne = await joined(accrual)
    merge = merged_into(anna, anne)

    await interleave(
        accrual.database,
        lambda merging: project_members(merging, [merge]),
        refused(claim(receipt, anne), StartAgainError),
    )
    await accrual.database.run(claim(receipt, anne))
    await decide_what_was_released(accrual)

    assert await accrual.balance(anna) == Balances(available=10)


async def test_the_claimant_is_merged_away_once_the_claim_is_made(
    accrual: Accrual, anna: UUID, receipt: PurchaseRecorded
) -> None:
    anne = await joined(accrual)
    merge = merged_into(anna, anne)

    await interleave(accrual.database, claim(receipt, anne), lambda merging: project_members(merging, [merge]))
    await decide_what_was_released(accrual)

    assert await accrual.balance(anna) == Balances(available=10)


async def test_a_return_comes_while_its_member_is_being_merged_away(accrual: Accrual, anna: UUID) -> None:
    anne = await joined(accrual)
    bought = purchase(next(_numbers), 1000, owner=anne)
    await accrual.award(bought)
    back = return_of(bought, next(_numbers), {1: 400}, owner=anne)

    await interleave(
        accrual.database,
        lambda merging: project_members(merging, [merged_into(anna, anne)]),
        refused(award(accrual, back), MeetingRowsNeededError),
    )
    await accrual.award(back)

    assert await accrual.balance(anna) == Balances(available=6)


async def test_a_member_is_merged_away_while_a_return_takes_points_back(accrual: Accrual, anna: UUID) -> None:
    anne = await joined(accrual)
    bought = purchase(next(_numbers), 1000, owner=anne)
    await accrual.award(bought)
    back = return_of(bought, next(_numbers), {1: 400}, owner=anne)

    await interleave(
        accrual.database,
        award(accrual, back),
        lambda merging: project_members(merging, [merged_into(anna, anne)]),
    )

    assert await accrual.balance(anna) == Balances(available=6)


@pytest.mark.parametrize("order", [*permutations(("bought", "back", "card"))], ids="-".join)
async def test_purchase_return_and_card_come_in_any_order(accrual: Accrual, order: tuple[str, ...]) -> None:
    """Each waits for what it lacks: the return for its purchase, the purchase for whoever the card is of."""
    owner, number = new_member(), next(_numbers)
    await accrual.drain()
    bought = purchase(number, 1000, identifier_hash=card(number))
    back = return_of(bought, next(_numbers), {1: 400})
    for what in order:
        match what:
            case "bought":
                await accrual.award(bought)
            case "back":
                await accrual.award(back)
            case _:
                await accrual.members(enrolled(owner), linked(owner, card(number)))
        await decide_what_was_released(accrual)
    await accrual.award(back, bought)  # and both once more

    assert await accrual.balance(owner) == Balances(available=6)


async def test_the_ledger_bears_all_of_it_out(module_database: FreshDatabase) -> None:
    assert (await verified(module_database)).findings == ()
