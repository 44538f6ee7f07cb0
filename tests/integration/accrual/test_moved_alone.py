"""Nobody moves by many small acts what a large one would need a second person for: exact, also at the same time."""

import asyncio
from collections import Counter
from uuid import UUID, uuid4

from shared.ledger import Balances
from tests.support.accrual import Accrual
from tests.support.accrual_members import new_member
from tests.support.adjusting import ADJUSTMENTS, Client, adjust, asked, decide, file_now, listed, sent, settle_all
from tests.support.databases import FreshDatabase
from tests.support.ledger_database import verified
from tests.support.receipts import enrolled, merged_into


def someone() -> str:
    """An author of this test's own."""
    return f"desk-{uuid4().hex[:8]}"


async def test_a_member_gets_as_much_on_a_day_as_one_person_may_give_and_no_more_from_ten_at_once(
    client: Client, module_accrual: Accrual, anna: UUID
) -> None:
    answers = await asyncio.gather(*(adjust(client, asked(anna, 6_000), by=someone()) for _ in range(5)))

    assert Counter(answer.json()["state"] for answer in answers) == {"posted": 3, "waiting": 2}
    assert await module_accrual.balance(anna) == Balances(available=18_000)
    rest = await adjust(client, asked(anna, 2_000), by=someone())
    more = await adjust(client, asked(anna, -1), by=someone())
    assert (rest.json()["state"], more.json()["state"]) == ("posted", "waiting")
    for waiting in await listed(client, member_id=str(anna), state="waiting"):
        await decide(client, f"{ADJUSTMENTS}/{waiting['adjustment_id']}/approve")
    assert await module_accrual.balance(anna) == Balances(available=31_999)


async def test_an_author_who_splits_it_over_members_needs_a_second_person_too(
    client: Client, module_accrual: Accrual
) -> None:
    author, members = someone(), [new_member() for _ in range(22)]
    await module_accrual.members(*map(enrolled, members))

    answers = await asyncio.gather(*(adjust(client, asked(each, 10_000), by=author) for each in members))

    assert Counter(answer.json()["state"] for answer in answers) == {"posted": 20, "waiting": 2}
    other = await adjust(client, asked(members[0], 10_000), by=someone())
    assert other.json()["state"] in ("posted", "waiting")  # the author's day is the author's alone
    file = await sent(client, uuid4().hex, f"{new_member()},1,complaint,,\n{members[0]},1,complaint,,\n", author)
    assert (file["state"], file["accepted"]) == ("waiting", 1)


async def test_a_file_that_gives_one_member_more_than_a_day_allows_waits(
    client: Client, module_accrual: Accrual, anna: UUID
) -> None:
    many = "".join(f"{anna},7000,complaint,,\n" for _ in range(3))

    file = await sent(client, uuid4().hex, many, someone())

    assert (file["state"], file["points_total"]) == ("waiting", 21_000)
    await decide(client, f"/v1/adjustment-files/{file['file_id']}/approve")
    await settle_all(module_accrual)
    assert await module_accrual.balance(anna) == Balances(available=21_000)


async def test_what_others_gave_since_a_file_was_closed_counts_when_its_lines_are_posted(
    client: Client, module_accrual: Accrual, anna: UUID
) -> None:
    file = await sent(client, uuid4().hex, f"{anna},9000,complaint,,\n{anna},9000,complaint,,\n", someone())
    assert file["state"] == "approved"
    await adjust(client, asked(anna, 9_000), by=someone())

    await settle_all(module_accrual)

    assert await module_accrual.balance(anna) == Balances(available=18_000)
    now = await file_now(client, file["file_id"])
    assert (now["state"], now["posted"], now["failed"]) == ("posted", 1, 1)
    refused = await listed(client, file_id=file["file_id"], state="refused")
    assert [each["refused_because"] for each in refused] == ["second_person_needed"]


async def test_of_two_who_are_one_the_day_has_both(client: Client, module_accrual: Accrual, anna: UUID) -> None:
    anne = new_member()
    await module_accrual.members(enrolled(anne))
    for each in (anna, anne):
        assert (await adjust(client, asked(each, 10_000), by=someone())).json()["state"] == "posted"
    await module_accrual.members(merged_into(anna, anne))

    assert (await adjust(client, asked(anne, 1), by=someone())).json()["state"] == "waiting"


async def test_what_was_refused_was_not_moved(client: Client, anna: UUID) -> None:
    author = someone()
    for _ in range(3):
        assert (await adjust(client, asked(anna, -10_000), by=author)).status_code == 409
    assert (await adjust(client, asked(anna, 10_000), by=author)).json()["state"] == "posted"
    assert (await adjust(client, asked(anna, 10_000), by=author)).json()["state"] == "posted"


async def test_the_ledger_bears_all_of_it_out(module_database: FreshDatabase) -> None:
    assert (await verified(module_database)).findings == ()
