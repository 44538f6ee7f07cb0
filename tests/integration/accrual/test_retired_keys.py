"""IdentifierKeyRetired: what was hashed with the key is let go, and no event brings it back."""

from collections.abc import Callable

import pytest

from shared.database import Database
from shared.database.retired_keys import RetiredHashes
from shared.ids import IdentifierType
from tests.support.accrual import Accrual
from tests.support.member_events import key_retired
from tests.support.receipts import enrolled, linked, member, purchase
from tests.support.two_keys import BOTH

ANNA = member(1)
NEW_HASH, OLD_HASH = BOTH.hashes(IdentifierType.CARD, "900123456789")


@pytest.fixture
async def accrual(database_of: Callable[[str], Database]) -> Accrual:
    accrual = Accrual(database_of("accrual"))
    await accrual.begin()
    await accrual.members(enrolled(ANNA), linked(ANNA, OLD_HASH), linked(ANNA, NEW_HASH))
    return accrual


async def known(accrual: Accrual) -> list[str]:
    async with accrual.database.transaction() as transaction:
        rows = await transaction.raw.fetch("select identifier_hash from identifiers order by 1")
    return [row["identifier_hash"] for row in rows]


async def test_its_hashes_go_and_a_replay_of_everything_brings_none_back(accrual: Accrual) -> None:
    await accrual.members(key_retired(1))
    await RetiredHashes(accrual.database, "identifiers").let_go()
    assert await known(accrual) == [NEW_HASH]

    await accrual.members(enrolled(ANNA), linked(ANNA, OLD_HASH), linked(ANNA, NEW_HASH), key_retired(1))
    await accrual.members(linked(ANNA, OLD_HASH, version=9))

    assert await known(accrual) == [NEW_HASH]
    assert (await accrual.award(purchase(1, 1000, identifier_hash=NEW_HASH))).awarded == 1


async def test_a_link_that_is_heard_of_before_the_end_of_its_key_goes_with_the_next_pass(accrual: Accrual) -> None:
    await accrual.members(key_retired(1), linked(member(2), "1." + "x" * 43))

    await RetiredHashes(accrual.database, "identifiers").let_go()
    await RetiredHashes(accrual.database, "identifiers").let_go()

    assert await known(accrual) == [NEW_HASH]


async def test_only_the_retired_keys_hashes_go(accrual: Accrual) -> None:
    of_others = ["10." + "y" * 43, "11." + "y" * 43]
    await accrual.members(*(linked(ANNA, each) for each in of_others))

    await accrual.members(key_retired(1))
    await RetiredHashes(accrual.database, "identifiers").let_go()

    assert sorted(await known(accrual)) == sorted([NEW_HASH, *of_others])
