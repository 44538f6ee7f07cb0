"""POST /v1/members:republish: the present state is told again, and whoever knows it changes nothing."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime

import httpx2

from services.accrual.use_cases.project_members import project_members
from shared.database import Database
from shared.events.catalogue import MEMBERS
from shared.events.members import (
    ConsentChanged,
    IdentifierLinked,
    IdentifierRevoked,
    MemberChanged,
    MemberErased,
    MemberEvent,
    MembersMerged,
)
from tests.support.outbox_rows import recorded_events
from tests.support.registries import bearing, members_client

CARD, NEW_CARD = {"type": "card", "value": "70000001"}, {"type": "card", "value": "70000002"}


async def enrol(client: httpx2.AsyncClient, number: int) -> str:
    body = {
        "given_name": "Ada", "family_name": "Test", "email": f"ada{number}@example.com", "language": "en",
        "birth_date": "1990-12-10",
        "identifiers": [{"type": "card", "value": f"7000{number}"}, {"type": "token", "value": f"token-{number}"}],
    }  # fmt: skip
    return str((await client.post("/v1/members", json=body, headers=bearing())).json()["member_id"])


async def republish(client: httpx2.AsyncClient, members_max: int = 500) -> Counter[str]:
    """All pages, one after the other; what they said they told."""
    told: Counter[str] = Counter()
    after = None
    while True:
        body = {"after": after, "members_max": members_max}
        page = await client.post("/v1/members:republish", json=body, headers=bearing("members:republish"))
        assert page.status_code == 200, page.text
        told += Counter({name: page.json()[name] for name in ("members", "identifiers", "consents")}) + Counter(pages=1)
        after = page.json()["last_member_id"]
        if after is None:
            return told


async def taken_events(database: Database) -> list[MemberEvent]:
    """What was recorded since the last time, as the relay takes it."""
    events = [row.event for row in await recorded_events(database, MEMBERS)]
    async with database.transaction() as transaction:
        await transaction.raw.execute("delete from outbox")
    return events


async def test_all_members_and_identifiers_are_told_page_by_page_at_their_versions(
    client: httpx2.AsyncClient, database: Database
) -> None:
    members = [await enrol(client, number) for number in range(5)]
    await client.post(f"/v1/members/{members[1]}/suspend", json={"reason_code": "card_stolen"}, headers=bearing())
    await client.post(f"/v1/members/{members[2]}/erase", json={"reason_code": "mistake"}, headers=bearing())
    merge = {"merged_member_id": members[4], "reason_code": "mistake"}
    merged = await client.post(f"/v1/members/{members[0]}/merge", json=merge, headers=bearing())
    assert merged.status_code == 200, merged.text
    block = {"identifier": {"type": "card", "value": "70003"}, "reason_code": "stolen"}
    assert (await client.post("/v1/identifiers:block", json=block, headers=bearing())).status_code == 200
    await taken_events(database)
    assert await republish(client, members_max=2) == Counter(pages=3, members=5, identifiers=8)
    events = await taken_events(database)
    told = {event.subject: event.data for event in events if isinstance(event, MemberChanged)}
    assert [(told[each].status, told[each].version) for each in members if each in told] == [
        ("active", 2),
        ("suspended", 2),
        ("active", 2),
        ("merged", 2),
    ]
    (merge_told,) = [event.data for event in events if isinstance(event, MembersMerged)]
    assert (str(merge_told.member_id), str(merge_told.merged_member_id)) == (members[0], members[4])
    assert (merge_told.version, merge_told.merged_version) == (2, 2)
    assert told[members[0]].birth_month == 12
    erased = [(event.subject, event.data.identifier_hashes) for event in events if isinstance(event, MemberErased)]
    assert erased == [(members[2], ())]
    links = [event.data for event in events if isinstance(event, IdentifierLinked)]
    assert Counter(link.state for link in links) == Counter(active=7, blocked=1)


async def test_a_projection_that_knows_everything_stays_as_it_is_however_often_it_is_told(
    database_of: Callable[[str], Database],
) -> None:
    database, accrual = database_of("members"), database_of("accrual")
    async with members_client(database) as client:
        members = [await enrol(client, number) for number in range(3)]
        await client.post(f"/v1/members/{members[0]}/suspend", json={"reason_code": "card_stolen"}, headers=bearing())
        lived = await taken_events(database)
        await project(accrual, lived)
        known = await projected(accrual)
        assert len(known) == 3 + 6
        for _ in range(2):
            await republish(client)
            await project(accrual, await taken_events(database))
            assert await projected(accrual) == known
        await republish(client)
        async with accrual.transaction() as transaction:
            for table in ("identifiers", "members"):
                await transaction.raw.execute(f"delete from {table}")
        await project(accrual, await taken_events(database))
        assert await projected(accrual) == known
        await project(accrual, lived)  # what is older, after what is newer
        assert await projected(accrual) == known


async def test_what_members_allow_is_told_again_as_it_holds(client: httpx2.AsyncClient, database: Database) -> None:
    text = {"purpose": "marketing", "channel": "sms", "text_version": "1"}
    wordings = {"wordings": [{"language": "en", "wording": "Yes."}]}
    await client.post("/v1/consent-texts", json=text | wordings, headers=bearing())
    ada, ben, eve = [await enrol(client, number) for number in range(3)]
    for member_id, answers in ((ada, (True, False)), (ben, (True,)), (eve, (True,))):
        for is_granted in answers:
            body = text | {"language": "en", "source": "web", "is_granted": is_granted}
            said = await client.post(f"/v1/members/{member_id}/consents", json=body, headers=bearing())
            assert said.status_code == 201, said.text
    await client.post(f"/v1/members/{eve}/erase", json={"reason_code": "mistake"}, headers=bearing())
    lived = [event.data for event in await taken_events(database) if isinstance(event, ConsentChanged)]

    assert (await republish(client, members_max=2))["consents"] == 2

    again = [event.data for event in await taken_events(database) if isinstance(event, ConsentChanged)]
    assert [(str(one.member_id), one.version, one.is_granted) for one in again] == [(ada, 2, False), (ben, 1, True)]
    assert all(one in lived for one in again)  # of who was erased nothing is told


async def test_when_an_identifier_was_linked_is_told_the_same_however_often(
    client: httpx2.AsyncClient, database: Database
) -> None:
    """By that fraud tells a change from what is told again."""
    ada = await enrol(client, 0)
    added_card = await client.post(f"/v1/members/{ada}/identifiers", json=CARD, headers=bearing())
    assert added_card.is_success, added_card.text
    for act in ("block", "unblock"):
        body = {"identifier": CARD, "reason_code": "stolen"}
        assert (await client.post(f"/v1/identifiers:{act}", json=body, headers=bearing())).status_code == 200
    replacing = {"old": {"identifier": {"type": "card", "value": "70000"}}, "new": NEW_CARD, "reason_code": "damaged"}
    replaced = await client.post(f"/v1/members/{ada}/identifiers:replace", json=replacing, headers=bearing())
    assert replaced.status_code == 200, replaced.text
    await republish(client)
    times: dict[str, set[datetime | None]] = {}
    for event in await taken_events(database):
        if isinstance(event, IdentifierLinked | IdentifierRevoked):
            times.setdefault(event.data.identifier_hash, set()).add(event.data.linked_at)
    assert [len(told) for told in times.values()] == [1] * 4
    joined, added, new = sorted({one for told in times.values() for one in told if one is not None})
    assert joined < added < new


async def project(accrual: Database, events: list[MemberEvent]) -> None:
    async with accrual.transaction() as transaction:
        await project_members(transaction, events)


async def projected(accrual: Database) -> list[str]:
    statement = """
        select 'member ' || members::text as line from members
        union all select 'identifier ' || identifiers::text from identifiers
        order by line
    """
    async with accrual.transaction() as transaction:
        return [row["line"] for row in await transaction.raw.fetch(statement)]


async def test_a_page_is_bounded_and_the_programmes_to_ask_for(client: httpx2.AsyncClient) -> None:
    url = "/v1/members:republish"
    for members_max in (0, 501, "5"):
        refused = await client.post(url, json={"members_max": members_max}, headers=bearing())
        assert refused.status_code == 422
    assert (await client.post(url, json={})).status_code == 401
    assert (await client.post(url, json={}, headers=bearing("members:write"))).status_code == 403
    bound = bearing("members:republish", client_id="acme", partner_id="acme")
    assert (await client.post(url, json={}, headers=bound)).status_code == 403
