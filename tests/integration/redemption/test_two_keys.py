"""Two identifier keys are valid at a time: a card is found by the hash of either, and a block under one blocks."""

import pytest

from services.redemption.domain.errors import IdentifierRevokedError, UnknownMemberError
from services.redemption.use_cases.hold_points import Declined, Held, Spender
from services.redemption.use_cases.look_up_balance import look_up_balance
from shared.ids import IdentifierType
from tests.support.member_events import erased, revoked
from tests.support.receipts import member
from tests.support.redemption import Spending, hold_in, linked
from tests.support.two_keys import BOTH

ANNA, BEN = member(1), member(2)
SHOWN = BOTH.hashes(IdentifierType.CARD, "900123456789")
NEW_HASH, OLD_HASH = SHOWN


async def attempt(spending: Spending) -> str:
    """What becomes of a hold at a till that knows both keys, and whose points they are."""
    spender = Spender(identifier_hashes=SHOWN)
    outcome = await spending.do(lambda transaction: hold_in(transaction, spender, 10, redemption_id=None))
    if isinstance(outcome, Held):
        return {ANNA: "anna's", BEN: "ben's"}[outcome.redemption.member_id or ANNA]
    assert isinstance(outcome, Declined)
    return outcome.decline.reason


async def looked_up(spending: Spending) -> object:
    owner, _ = await spending.do(
        lambda transaction: look_up_balance(transaction, Spender(identifier_hashes=SHOWN), ["points"])
    )
    return owner


@pytest.mark.parametrize("known", [OLD_HASH, NEW_HASH], ids=["under the old key", "under the new key"])
async def test_a_card_that_is_known_under_one_key_is_found(spending: Spending, known: str) -> None:
    await spending.enrol(ANNA, 100)
    with pytest.raises(UnknownMemberError):
        await attempt(spending)

    await spending.members(linked(ANNA, known))

    assert await attempt(spending) == "anna's"
    assert await looked_up(spending) == ANNA


@pytest.mark.parametrize("blocked", SHOWN, ids=["under the new key", "under the old key"])
async def test_a_block_that_was_heard_of_under_one_key_blocks(spending: Spending, blocked: str) -> None:
    await spending.enrol(ANNA, 100)
    await spending.members(linked(ANNA, OLD_HASH), linked(ANNA, NEW_HASH), revoked(ANNA, blocked, "blocked"))

    assert await attempt(spending) == "identifier_blocked"
    with pytest.raises(IdentifierRevokedError):
        await looked_up(spending)


async def test_where_the_hashes_disagree_for_a_moment_the_present_key_says_whose_it_is(spending: Spending) -> None:
    await spending.enrol(ANNA, 100)
    await spending.enrol(BEN, 100)
    await spending.members(linked(ANNA, OLD_HASH), linked(ANNA, NEW_HASH))
    await spending.members(linked(BEN, NEW_HASH, version=2))  # a merge, half heard of

    assert await attempt(spending) == "ben's"
    assert await looked_up(spending) == BEN


async def test_an_erasure_takes_both_hashes(spending: Spending) -> None:
    await spending.enrol(ANNA, 100)
    await spending.members(linked(ANNA, OLD_HASH), linked(ANNA, NEW_HASH))

    await spending.members(erased(ANNA, *SHOWN))

    with pytest.raises(UnknownMemberError):
        await attempt(spending)
    with pytest.raises(UnknownMemberError):
        await looked_up(spending)
