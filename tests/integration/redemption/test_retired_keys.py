"""IdentifierKeyRetired: redemption lets go what was hashed with the key, and no event brings it back."""

from shared.database.retired_keys import RetiredHashes
from shared.ids import IdentifierType
from tests.support.member_events import key_retired
from tests.support.receipts import member
from tests.support.redemption import Spending, linked
from tests.support.two_keys import BOTH

ANNA = member(1)
NEW_HASH, OLD_HASH = BOTH.hashes(IdentifierType.CARD, "900123456789")


async def known(spending: Spending) -> list[str]:
    rows = await spending.do(lambda transaction: transaction.raw.fetch("select * from redemption_identifiers"))
    return [row["identifier_hash"] for row in rows]


async def test_its_hashes_go_and_a_replay_brings_none_back(spending: Spending) -> None:
    await spending.enrol(ANNA, 100)
    events = [linked(ANNA, OLD_HASH), linked(ANNA, NEW_HASH)]
    await spending.members(*events)

    await spending.members(key_retired(1))
    await RetiredHashes(spending.database, "redemption_identifiers").let_go()
    assert await known(spending) == [NEW_HASH]

    await spending.members(key_retired(1), *events, linked(ANNA, OLD_HASH, version=9))
    assert await known(spending) == [NEW_HASH]
