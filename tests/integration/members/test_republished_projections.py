"""What members publishes again is enough: projections that begin with nothing become as they were, in every service."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import asyncpg
import httpx2

from services.accrual.use_cases.project_members import one_merge_each
from services.accrual.use_cases.project_members import project_members as project_into_accrual
from services.coalition.use_cases.erase_members import erase_members as erase_in_coalition
from services.fraud.use_cases.erase_members import erase_members as erase_in_fraud
from services.fraud.use_cases.merge_members import merge_members as merge_in_fraud
from services.fraud.use_cases.note_identifiers import note_identifiers
from services.notifications.use_cases.project_names import project_members as project_into_notifications
from services.redemption.use_cases.project import project_members as project_into_redemption
from shared.database import Database
from shared.database.roles import role_name
from shared.events.catalogue import MEMBERS
from shared.events.members import (
    ConsentChanged,
    HouseholdChanged,
    IdentifierLinked,
    IdentifierRevoked,
    MemberErased,
    MemberEvent,
    MembersMerged,
)
from tests.support.databases import FreshDatabase, made_database
from tests.support.households import found, join
from tests.support.outbox_rows import recorded_events
from tests.support.registries import bearing
from tests.support.servers import TestServers

PROJECTING = ("accrual", "redemption", "fraud", "notifications", "coalition")
TABLES = """
    select format('%I.%I', schemaname, tablename) as name from pg_tables
    where schemaname = any($1::text[])
        and tablename not in ('alembic_version', 'ledger_version', 'outbox_slots')
    order by name
"""


class Projections:
    """Every service that hears of members, on a database where nothing was heard yet."""

    def __init__(self, database: FreshDatabase, services: dict[str, Database], admin: Any) -> None:
        self._database, self._services, self._admin = database, services, admin

    @classmethod
    @asynccontextmanager
    async def opened(cls, servers: TestServers) -> AsyncIterator["Projections"]:
        """On a database of their own."""
        async with AsyncExitStack() as stack:
            database = await stack.enter_async_context(made_database(servers))
            services = {service: Database(database.url(role_name(service))) for service in PROJECTING}
            for service in services.values():
                stack.push_async_callback(service.close)
            admin = await asyncpg.connect(database.admin_url)
            stack.push_async_callback(admin.close)
            yield cls(database, services, admin)

    async def hear(self, events: Sequence[MemberEvent]) -> None:
        """As each service's consumer takes them."""
        for some in one_merge_each(events):
            async with self._services["accrual"].transaction() as transaction:
                await project_into_accrual(transaction, some)
        async with self._services["redemption"].transaction() as transaction:
            await project_into_redemption(transaction, events)
        async with self._services["notifications"].transaction() as transaction:
            await project_into_notifications(transaction, events)
        merges = [event for event in events if isinstance(event, MembersMerged)]
        erasures = [event for event in events if isinstance(event, MemberErased)]
        identifiers = [event for event in events if isinstance(event, IdentifierLinked | IdentifierRevoked)]
        async with self._services["fraud"].transaction() as transaction:
            await merge_in_fraud(transaction, merges)
            await note_identifiers(transaction, identifiers)
            await erase_in_fraud(transaction, erasures)
        async with self._services["coalition"].transaction() as transaction:
            await erase_in_coalition(transaction, erasures)

    async def rows(self, *, with_versions: bool = True) -> dict[str, list[str]]:
        """All that they keep, the ledger's aliases too, without the time at which it was written."""
        left_out = "'merged_at' - 'laid_at'" + ("" if with_versions else " - 'version'")
        schemas = [*PROJECTING, "ledger"]
        tables = [row["name"] for row in await self._admin.fetch(TABLES, schemas)]
        kept = {}
        for table in tables:
            line = f"(to_jsonb(t) - {left_out})::text"
            source = f"{table} as t"
            if table in OF_HISTORIES:
                named = OF_HISTORIES[table]
                line = f"(to_jsonb(t) - {left_out} - 'since')::text"
                source = f"(select distinct on ({named}) * from {table} order by {named}, since desc) as t"
            rows = await self._admin.fetch(f"select {line} as line from {source} order by 1")
            kept[table] = [row["line"] for row in rows]
        return {table: lines for table, lines in kept.items() if lines}


# What was in force until when is not told again: of each, what is in force now.
OF_HISTORIES = {
    "accrual.member_versions": "member_id",
    "accrual.member_attribute_versions": "member_id, code",
}


async def post(client: httpx2.AsyncClient, path: str, **body: object) -> Any:
    answer = await client.post(f"/v1/{path}", json=body, headers=bearing())
    assert answer.is_success, answer.text
    return answer.json()


async def live(client: httpx2.AsyncClient) -> None:
    """Members in every status, identifiers in every state, two merges one after the other, an erasure, a household."""
    members = []
    for number in range(8):
        cards = [{"type": "card", "value": f"7000{number}{card}"} for card in range(2)]
        person = {"given_name": "Ada", "family_name": "Test", "email": f"ada{number}@example.com", "language": "en"}
        enrolled = await post(client, "members", **person, identifiers=cards)
        members.append(enrolled["member_id"])
    suspended, closed, erased, first, second, third, head, other = members
    await post(client, f"members/{suspended}/suspend", reason_code="card_stolen")
    await post(client, f"members/{closed}/close", reason_code="member_request")
    for act, card in (("block", "700000"), ("report-lost", "700010"), ("block", "700030"), ("block", "700060")):
        await post(client, f"identifiers:{act}", identifier={"type": "card", "value": card}, reason_code="stolen")
    await post(client, "identifiers:unblock", identifier={"type": "card", "value": "700060"}, reason_code="found")
    await post(client, "attributes", code="car", type="boolean", is_personal=False)
    for value in (True, False):
        worded = {"value": value, "source": "web"}
        answer = await client.put(f"/v1/members/{head}/attributes/car", json=worded, headers=bearing())
        assert answer.is_success, answer.text
    household = await found(client, head)
    await join(client, household, head, other)
    text = {"purpose": "marketing", "channel": "sms", "text_version": "1"}
    await post(client, "consent-texts", **text, wordings=[{"language": "en", "wording": "Yes."}])
    for member_id in (first, second, erased):
        for is_granted in (True, False) if member_id == first else (True,):
            said = text | {"language": "en", "source": "web", "is_granted": is_granted}
            await post(client, f"members/{member_id}/consents", **said)
    for survivor, merged in ((second, first), (third, second)):
        await post(client, f"members/{survivor}/merge", merged_member_id=merged, reason_code="duplicate")
    await post(client, f"members/{erased}/erase", reason_code="data_subject_request")


async def republish(client: httpx2.AsyncClient) -> None:
    """Every page of members and of households."""
    for path, last in (("members:republish", "last_member_id"), ("households:republish", "last_household_id")):
        after = None
        while True:
            page = await post(client, path, after=after)
            after = page[last]
            if after is None:
                break


async def taken_events(database: Database) -> list[MemberEvent]:
    events = [row.event for row in await recorded_events(database, MEMBERS)]
    async with database.transaction() as transaction:
        await transaction.raw.execute("delete from outbox")
    return events


def held(events: Sequence[MemberEvent]) -> tuple[dict[object, Any], dict[object, Any]]:
    """Consents and households as any projection of them would keep them."""
    consents: dict[object, Any] = {}
    households: dict[object, Any] = {}
    for event in events:
        if isinstance(event, ConsentChanged):
            key: object = (event.data.member_id, event.data.purpose, event.data.channel, event.data.partner_id)
            if key not in consents or consents[key].version < event.data.version:
                consents[key] = event.data
        elif isinstance(event, HouseholdChanged):
            key = event.data.household_id
            if key not in households or households[key].version < event.data.version:
                households[key] = event.data
    return consents, households


async def test_projections_that_begin_with_nothing_become_as_they_were(
    stack: TestServers, client: httpx2.AsyncClient, database: Database
) -> None:
    await live(client)
    lived = await taken_events(database)
    await republish(client)
    again = await taken_events(database)
    async with Projections.opened(stack) as old, Projections.opened(stack) as new:
        await old.hear(lived)
        known = await old.rows(with_versions=False)
        assert known.keys() >= {
            "accrual.members", "accrual.identifiers", "ledger.ledger_aliases", "redemption.redemption_members",
            "redemption.redemption_identifiers", "redemption.redemption_households",
            "fraud.member_windows", "notifications.recipients", "coalition.erased_members",
        }  # fmt: skip

        await new.hear(again)
        # A merge raises the survivor's version and tells of nothing else: only who hears it again has the last one.
        assert await new.rows(with_versions=False) == known
        newest = await new.rows()
        for projections, events in ((old, again), (old, lived), (new, lived), (new, again)):
            await projections.hear(events)  # what is older, after what is newer; and all of it once more
            assert await projections.rows() == newest
    told, present = held(lived), held(again)
    assert present[1] == told[1]
    # Those of who is erased are told no more, and those of who was merged are the survivor's.
    assert present[0].items() <= told[0].items()
    gone = {str(event.data.member_id) for event in lived if isinstance(event, MemberErased)}
    gone |= {str(event.data.merged_member_id) for event in lived if isinstance(event, MembersMerged)}
    assert {key for key in told[0] if str(key[0]) not in gone} == present[0].keys()  # type: ignore[index]
