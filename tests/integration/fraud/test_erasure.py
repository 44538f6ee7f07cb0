"""An erased member: fraud forgets the window and what people wrote, and remembers nothing new."""

import httpx2

from services.fraud.consumer import MemberHandler
from services.fraud.repository import cases
from services.fraud.use_cases.close_case import close_case
from shared.events.catalogue import MEMBERS
from shared.events.members import MemberErased
from tests.support.dead_letters import unhandled
from tests.support.fraud import member, purchase
from tests.support.fraud_service import Scoring, batch_of
from tests.support.member_events import erased
from tests.support.receipts import card
from tests.support.registries import bearing

ANNA = member(1)
NOTE = "She rang: it was her birthday party"


async def erase(scoring: Scoring, *events: MemberErased) -> None:
    await MemberHandler(scoring.database).handle(batch_of(events, MEMBERS.topic))


async def rows(scoring: Scoring, statement: str) -> list[object]:
    async with scoring.database.transaction() as transaction:
        return [row[0] for row in await transaction.raw.fetch(statement)]


async def die(scoring: Scoring, offset: int, key: str) -> None:
    letter = unhandled(offset, key)
    await MemberHandler(scoring.database).dead_lettered(letter)


async def test_windows_notes_and_dead_letters_are_forgotten_and_findings_stay(scoring: Scoring) -> None:
    await scoring.take(*(purchase(number) for number in (1, 2, 3)))
    async with scoring.database.transaction() as transaction:
        (case,) = await cases.load_page(transaction, state="open", partner_id=None, after=None, rows_max=10)
        await close_case(transaction, case, "valuable_alert", "analyst", NOTE)
    await die(scoring, 1, str(ANNA))
    await die(scoring, 2, card(1))
    before = await scoring.left()

    await erase(scoring, erased(ANNA, card(1)))

    after = await scoring.left()
    assert after == before | {"windows": []}
    assert await rows(scoring, "select note from cases") == [None]
    assert await rows(scoring, "select fate from dead_letters") == ["erased", "erased"]


async def test_a_note_is_forgotten_among_kept_answers_too(scoring: Scoring, client: httpx2.AsyncClient) -> None:
    await scoring.take(*(purchase(number) for number in (1, 2, 3)))
    (case,) = (await client.get("/v1/cases", headers=bearing())).json()["items"]
    closing = f"/v1/cases/{case['case_id']}/close", {"outcome": "valuable_alert", "note": NOTE}
    headers = bearing(client_id="ann")
    assert (await client.post(closing[0], json=closing[1], headers=headers)).json()["note"] == NOTE

    await erase(scoring, erased(ANNA))

    assert await rows(scoring, "select body from idempotency") == []
    again = await client.post(closing[0], json=closing[1], headers=headers)
    assert (again.status_code, again.json()["outcome"], again.json()["note"]) == (200, "valuable_alert", None)


async def test_what_comes_late_is_left_out(scoring: Scoring) -> None:
    await scoring.take(purchase(1))
    await erase(scoring, erased(ANNA))
    before = await scoring.left()

    await scoring.take(purchase(1), purchase(2), purchase(3))
    await erase(scoring, erased(ANNA))
    await die(scoring, 1, str(ANNA))

    assert await scoring.left() == before
    assert await rows(scoring, "select fate from dead_letters") == ["erased"]
    assert await scoring.told() == []
