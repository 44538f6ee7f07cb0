"""POST /v1/coalition:republish: the present state is told again, and whoever knows it changes nothing."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from services.accrual.use_cases.project_coalition import project_coalition as project_for_accrual
from services.fraud.use_cases.project_operators import project_operators
from services.redemption.use_cases.project import project_coalition as project_for_redemption
from shared.database import Database, Transaction
from shared.database.roles import role_name
from shared.events.catalogue import COALITION
from shared.events.coalition import CoalitionEvent, OperatorChanged
from shared.events.contracts import ExposureChanged
from shared.web.known_clients import project_clients
from tests.support.databases import made_database
from tests.support.exposure import Coalition
from tests.support.outbox_rows import recorded_events
from tests.support.registries import bearing, coalition_client
from tests.support.servers import TestServers

URL = "/v1/coalition:republish"
PREPAID = {"kind": "prepaid", "amount_minor": 10_000, "alert_percents": [50], "when_exhausted": "refuse"}
# What accrual, redemption and fraud know of the coalition.
PROJECTED = {
    "accrual": (
        "partners",
        "partner_standings",
        "stores",
        "tills",
        "category_mappings",
        "article_exclusions",
        "partner_contracts",
        "partner_exposures",
        "api_clients",
    ),
    "redemption": (
        "redemption_partners",
        "redemption_partner_standings",
        "redemption_tills",
        "redemption_price_floors",
        "redemption_contracts",
        "redemption_exposures",
        "api_clients",
    ),
    "fraud": ("operators", "api_clients"),
}
Rows = dict[str, list[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class World:
    """A coalition, and three services that read its topic."""

    coalition: Coalition
    readers: dict[str, Database]

    async def post(self, path: str, body: object) -> Any:
        answer = await self.coalition.client.post(f"/v1/{path}", json=body, headers=bearing())
        assert answer.is_success, answer.text
        return answer.json()

    async def told(self) -> list[CoalitionEvent]:
        """What was recorded since the last time, as the relay takes it."""
        events = [row.event for row in await recorded_events(self.coalition.database, COALITION)]
        async with self.coalition.database.transaction() as transaction:
            await transaction.raw.execute("delete from outbox")
        return events

    async def project(self, events: Sequence[CoalitionEvent]) -> None:
        """All of them read these."""

        async def accrual(transaction: Transaction) -> None:
            await project_clients(transaction, events)
            await project_for_accrual(transaction, events)

        async def redemption(transaction: Transaction) -> None:
            await project_clients(transaction, events)
            await project_for_redemption(transaction, events)

        await self.readers["accrual"].run(accrual)
        await self.readers["redemption"].run(redemption)

        async def fraud(transaction: Transaction) -> None:
            await project_clients(transaction, events)
            await project_operators(transaction, [event for event in events if isinstance(event, OperatorChanged)])

        await self.readers["fraud"].run(fraud)

    async def known(self) -> Rows:
        """All that they know."""
        return {
            f"{service}.{table}": [
                dict(row)
                for row in await self.coalition.admin.fetch(f"select * from {service}.{table} order by {table}::text")
            ]
            for service, tables in PROJECTED.items()
            for table in tables
        }

    async def forget(self) -> None:
        """They lose it."""
        for service, tables in PROJECTED.items():
            await self.coalition.admin.execute("truncate " + ", ".join(f"{service}.{table}" for table in tables))

    async def republish(self, events_max: int = 500, cursor: str | None = None, pages_max: int = 10_000) -> str | None:
        """Pages one after the other, as many as there are; where it stopped."""
        for _ in range(pages_max):
            page = await self.post("coalition:republish", {"cursor": cursor, "events_max": events_max})
            assert page["events"] <= events_max
            cursor = page["next_cursor"]
            if cursor is None:
                return None
        return cursor


@pytest.fixture
async def world(stack: TestServers) -> AsyncIterator[World]:
    """Two partners with everything that a partner can have, two clients and a person."""
    async with AsyncExitStack() as opened:
        made = await opened.enter_async_context(made_database(stack))
        databases = {name: Database(made.url(role_name(name))) for name in ("coalition", *PROJECTED)}
        for database in databases.values():
            opened.push_async_callback(database.close)
        client = await opened.enter_async_context(coalition_client(databases["coalition"]))
        admin = await asyncpg.connect(made.admin_url)
        opened.push_async_callback(admin.close)
        readers = {name: databases[name] for name in PROJECTED}
        world = World(Coalition(databases["coalition"], client, admin), readers)
        await _lived(world)
        yield world


async def _lived(world: World) -> None:
    coalition, client = world.coalition, world.coalition.client
    await world.post("categories", {"category_id": "food", "name": "Food"})
    await world.post("categories", {"category_id": "fruit", "name": "Fruit", "parent_id": "food"})
    for _ in range(2):
        partner = await coalition.partner(funding=PREPAID)
        stores = [
            {
                "store_id": f"s{number}",
                "name": "A shop",
                "time_zone": "America/New_York",
                "tills": [{"till_id": till, "key_scheme": "sequence"} for till in ("1", "2")],
            }
            for number in range(2)
        ]
        await world.post(f"partners/{partner}/stores:batch", {"stores": stores})
        await world.post(f"partners/{partner}/stores/s0/tills/1/keys:rotate", {})
        await world.post(f"partners/{partner}/stores/s1/tills/2/keys:revoke", {"keys": "all", "reason_code": "lost"})
        for number in ("7", "8"):
            await world.post(f"partners/{partner}/operators", {"operator_id": number, "own_card": f"QX7700{number}"})
        for category in ("fruit", None):
            mapping = [{"partner_category": "OBST", "category_id": category}]
            await world.post(
                f"partners/{partner}/category-mappings", {"mappings": mapping, "reason_code": "onboarding"}
            )
            article = f"/v1/partners/{partner}/articles/beer"
            # Its floor is taken away, too: who hears that again must not keep it.
            article_body = {"is_excluded": bool(category), "price_floor_minor": 90 if category else None}
            assert (await client.put(article, json=article_body, headers=bearing())).is_success
            book = {"price_floor_minor": 900, "brand": category}  # its version rises, its floor's does not
            assert (await client.put(f"/v1/partners/{partner}/articles/book", json=book, headers=bearing())).is_success
        for state, reason in (("suspended_earning", "audit"), ("active", "audited")):
            path = f"/v1/partners/{partner}"
            etag = (await client.get(path, headers=bearing())).headers["ETag"]
            body = {"state": state, "reason_code": reason}
            changed = await client.patch(path, json=body, headers=bearing() | {"If-Match": etag})
            assert changed.status_code == 200, changed.text
        await coalition.review()  # nothing was paid: it is exhausted, and that is told
    for name in ("one", "two"):
        await world.post("api-clients", {"client_id": name, "scopes": ["partners:read"]})
    await world.post("api-clients/two/revoke", {"why": "left"})
    await world.post("people", {"subject": "ada", "roles": ["support"]})


def _but_when_it_was_told(known: Rows) -> Rows:
    return {
        name: [{column: value for column, value in row.items() if column != "told_at"} for row in rows]
        for name, rows in known.items()
    }


async def test_emptied_projections_are_complete_again(world: World) -> None:
    await world.project(await world.told())
    before = await world.known()
    assert all(before.values()), "every table has rows"
    await world.forget()
    assert await world.republish() is None
    await world.project(await world.told())
    assert _but_when_it_was_told(await world.known()) == _but_when_it_was_told(before)


async def test_projections_that_are_up_to_date_change_nothing(world: World) -> None:
    await world.project(await world.told())
    before = await world.known()
    await world.republish()
    again = await world.told()
    await world.project(again)
    assert await world.known() == before
    assert {event.data.standing for event in again if isinstance(event, ExposureChanged)} == {"exhausted"}


async def test_what_is_told_again_never_undoes_what_came_since(world: World) -> None:
    await world.told()
    await world.republish()
    again = await world.told()
    partner = next(event.data.partner_id for event in again if isinstance(event, ExposureChanged))
    await world.coalition.wait(timedelta(seconds=2))
    await world.coalition.top_up(partner, "paid", 10_000)
    await world.post(f"partners/{partner}/stores/s0/tills/2/keys:rotate", {})
    await world.post("api-clients/one/revoke", {"why": "left"})
    await world.project([*again, *await world.told()])
    before = await world.known()
    await world.project(again)
    assert await world.known() == before


async def test_it_goes_page_by_page_and_on_from_where_it_stopped(world: World) -> None:
    await world.project(await world.told())
    before = await world.known()
    await world.republish()
    whole = [(event.type, event.subject, event.data.version) for event in await world.told()]
    await world.forget()
    stopped_at = await world.republish(events_max=1, pages_max=len(whole) // 2)
    assert stopped_at is not None
    assert await world.republish(events_max=3, cursor=stopped_at) is None
    events = await world.told()
    assert [(event.type, event.subject, event.data.version) for event in events] == whole
    for event in reversed(events):  # one by one and backwards: rows only move to a higher version
        await world.project([event])
    assert _but_when_it_was_told(await world.known()) == _but_when_it_was_told(before)


async def test_it_is_the_programmes_alone_and_takes_its_own_cursors_only(world: World) -> None:
    client = world.coalition.client
    bound = bearing("coalition:republish", client_id="acme", partner_id="acme")
    assert (await client.post(URL, json={}, headers=bound)).status_code == 403
    assert (await client.post(URL, json={}, headers=bearing("partners:write"))).status_code == 403
    for cursor in ("WzFd", "nonsense!"):
        assert (await client.post(URL, json={"cursor": cursor}, headers=bearing())).status_code == 400
