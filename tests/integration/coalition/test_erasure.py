"""An erased member: coalition keeps no record that leads to the person, and none that comes late."""

from collections.abc import Callable

from services.coalition.consumer import MemberHandler, PurchaseHandler
from shared.database import Database
from shared.kafka import Batch, ReadPosition, Record
from tests.support.databases import FreshDatabase
from tests.support.dead_letters import unhandled
from tests.support.member_events import erased
from tests.support.receipts import card, member
from tests.support.traces import spellings, traces_in_tables

ANNA, BERT = member(1), member(2)
CARD = card(1)


async def die(database: Database, offset: int, key: str, quoting: str = CARD) -> None:
    """A record of purchases that nobody could handle; its bytes quote a card."""
    letter = unhandled(offset, key, quoting=quoting)
    await PurchaseHandler(database).dead_lettered(letter)


async def test_dead_letters_of_the_member_and_of_the_cards_are_blanked_and_late_ones_too(
    database_of: Callable[[str], Database], fresh_database: FreshDatabase
) -> None:
    database = database_of("coalition")
    await die(database, 1, str(ANNA))
    await die(database, 2, CARD)
    await die(database, 3, str(BERT), card(2))
    event = erased(ANNA, CARD)
    record = Record(event=event, topic="loyalty.members", partition=0, offset=0, key=None, body=b"", headers={})
    told = Batch((record,), (ReadPosition("loyalty.members", 0, 1, None),))

    await MemberHandler(database).handle(told)
    await die(database, 4, str(ANNA))
    await MemberHandler(database).handle(told)

    assert await traces_in_tables(fresh_database.admin_url, spellings([CARD])) == []
    async with database.transaction() as transaction:
        rows = await transaction.raw.fetch("select fate from dead_letters order by topic_offset")
    assert [row["fate"] for row in rows] == ["erased", "erased", "pending", "erased"]
