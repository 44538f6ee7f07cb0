"""PUT, DELETE and GET /v1/members/{id}/pin, and how one is proven: over HTTP, on the real tables."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from shared.database import Database
from shared.events.catalogue import MEMBERS
from shared.events.members import PinChanged
from tests.support.every_column import tables_holding
from tests.support.logged import logged
from tests.support.outbox_rows import recorded_events
from tests.support.registries import bearing, empty_tables, members_client, members_settings

PIN, OTHER, THIRD = "2846", "71930", "590317"
ADA: dict[str, object] = {"given_name": "Ada", "family_name": "Test", "language": "en", "birth_date": "1990-12-10"}


@pytest.fixture(scope="module")
async def module_client(module_database: Database) -> AsyncIterator[httpx2.AsyncClient]:
    """PINs count at once."""
    async with members_client(module_database, members_settings(pin_rests_seconds=0)) as opened:
        yield opened


async def enrol(client: httpx2.AsyncClient) -> str:
    body = ADA | {"email": f"{uuid4().hex}@example.com"}
    return str((await client.post("/v1/members", json=body, headers=bearing())).json()["member_id"])


@pytest.fixture
async def ada(client: httpx2.AsyncClient) -> str:
    return await enrol(client)


async def put(client: httpx2.AsyncClient, member_id: str, pin: object, current: str | None = None) -> httpx2.Response:
    body = {"pin": pin} | ({} if current is None else {"current_pin": current})
    return await client.put(f"/v1/members/{member_id}/pin", json=body, headers=bearing("pins:write"))


async def verify(client: httpx2.AsyncClient, member_id: str, pin: str) -> dict[str, Any]:
    answer = await client.post(
        f"/v1/members/{member_id}/pin:verify", json={"pin": pin}, headers=bearing("pins:verify", client_id="redemption")
    )
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def state(client: httpx2.AsyncClient, member_id: str) -> dict[str, Any]:
    return dict((await client.get(f"/v1/members/{member_id}/pin", headers=bearing("pins:verify"))).json())


async def reset(client: httpx2.AsyncClient, member_id: str) -> httpx2.Response:
    return await client.delete(f"/v1/members/{member_id}/pin", headers=bearing("pins:reset"))


def slug(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, str(answer.json()["type"].rpartition("/")[2])


async def let_time_pass(database: Database, hours: int) -> None:
    """As if whatever was locked had been locked so long ago."""
    async with database.transaction() as transaction:
        await transaction.raw.execute(
            "update member_pins set locked_until = locked_until - make_interval(hours => $1)", hours
        )


async def test_a_pin_is_set_proven_changed_and_reset(client: httpx2.AsyncClient, ada: str) -> None:
    assert (await verify(client, ada, PIN))["outcome"] == "none"
    assert slug(await put(client, ada, OTHER, PIN)) == (409, "no-pin")
    first = await put(client, ada, PIN)
    assert (first.status_code, first.json()["state"]) == (200, "counts")
    assert (await put(client, ada, PIN)).json() == first.json(), "sent twice it is as sent once"
    assert (await verify(client, ada, PIN))["outcome"] == "verified"
    assert slug(await put(client, ada, OTHER)) == (409, "current-pin-needed")
    wrong = await put(client, ada, OTHER, THIRD)
    assert (slug(wrong), wrong.json()["tries_left"]) == ((409, "wrong-pin"), 3)
    changed = await put(client, ada, OTHER, PIN)
    assert changed.status_code == 200, changed.text
    assert (await put(client, ada, OTHER, PIN)).json() == changed.json(), "whose answer was lost asks again"
    assert [(await verify(client, ada, pin))["outcome"] for pin in (PIN, OTHER)] == ["wrong", "verified"]
    assert [(await reset(client, ada)).json()["was_set"] for _ in range(2)] == [True, False]
    assert (await state(client, ada))["state"] == "none"


async def test_who_has_no_address_is_told_apart(client: httpx2.AsyncClient, ada: str) -> None:
    assert (await state(client, ada))["has_address"] is True
    assert (await state(client, str(uuid4())))["has_address"] is False


@pytest.mark.parametrize("pin", ["0000", "1234", "98765", "7890", "2121", "1210", "341012"])
async def test_what_is_guessed_first_is_refused_by_name(client: httpx2.AsyncClient, ada: str, pin: str) -> None:
    refused = await put(client, ada, pin)
    assert slug(refused) == (422, "trivial-pin")
    assert pin not in refused.text
    assert (await state(client, ada))["state"] == "none"


@pytest.mark.parametrize("pin", ["123", "123456789", "12a4", "٢٨٤٦", 2846, None])
async def test_a_pin_is_four_to_eight_digits_in_a_text(client: httpx2.AsyncClient, ada: str, pin: object) -> None:
    refused = await put(client, ada, pin)
    assert (slug(refused), refused.json()["errors"][0]["pointer"]) == ((422, "invalid-request"), "/pin")


async def test_of_ten_wrong_ones_at_once_five_are_tries_and_then_it_is_locked(
    client: httpx2.AsyncClient, database: Database, ada: str
) -> None:
    await put(client, ada, PIN)
    tried = await asyncio.gather(*(verify(client, ada, OTHER) for _ in range(10)))
    assert Counter(one["outcome"] for one in tried) == {"wrong": 5, "locked": 5}
    assert sorted(one["tries_left"] for one in tried if one["outcome"] == "wrong") == [0, 1, 2, 3, 4]
    locked = await verify(client, ada, PIN)
    assert (locked["outcome"], (await state(client, ada))["state"]) == ("locked", "locked"), "the right one, too"
    assert slug(await put(client, ada, OTHER, PIN)) == (409, "pin-locked")
    assert (await state(client, ada))["locked_until"] == locked["locked_until"]
    await let_time_pass(database, 1)
    again = [await verify(client, ada, OTHER) for _ in range(5)]
    assert [one["tries_left"] for one in again] == [4, 3, 2, 1, 0]
    await let_time_pass(database, 1)
    assert (await verify(client, ada, PIN))["outcome"] == "locked", "the second time for two hours"
    await let_time_pass(database, 1)
    assert (await verify(client, ada, PIN))["outcome"] == "verified"
    assert (await verify(client, ada, OTHER))["tries_left"] == 4, "whoever knows it begins anew"


async def test_a_first_pin_rests_and_one_that_follows_it_does_not(module_database: Database) -> None:
    await empty_tables(module_database, "members")
    async with members_client(module_database) as client:
        ada = await enrol(client)
        assert (await put(client, ada, PIN)).json()["state"] == "resting"
        assert {(await verify(client, ada, pin))["outcome"] for pin in (PIN, OTHER)} == {"resting"}
        async with module_database.transaction() as transaction:
            await transaction.raw.execute("update member_pins set counts_from = counts_from - interval '1 day'")
        assert (await put(client, ada, OTHER, PIN)).json()["state"] == "counts"
        assert (await verify(client, ada, OTHER))["outcome"] == "verified"
        await reset(client, ada)
        assert (await put(client, ada, PIN)).json()["state"] == "resting"


async def test_each_change_is_kept_and_told_once_and_a_lock_when_the_last_try_was_wrong(
    client: httpx2.AsyncClient, database: Database, ada: str
) -> None:
    for _ in range(2):
        await put(client, ada, PIN)
    for _ in range(2):
        await put(client, ada, OTHER, PIN)
    await asyncio.gather(*(verify(client, ada, PIN) for _ in range(4)))
    assert (await verify(client, ada, OTHER))["outcome"] == "verified", "the fifth was right: nothing is locked"
    await asyncio.gather(*(verify(client, ada, PIN) for _ in range(7)))
    for _ in range(2):
        await reset(client, ada)

    events = [row.event for row in await recorded_events(database, MEMBERS)]
    told = [event.data for event in events if isinstance(event, PinChanged)]
    assert [(one.version, one.change) for one in told] == [(1, "set"), (2, "changed"), (3, "locked"), (4, "reset")]
    url, shown = f"/v1/members/{ada}/pin-changes?limit=3", bearing("members:audit")
    page = (await client.get(url, headers=shown)).json()
    kept = page["items"] + (await client.get(f"{url}&cursor={page['next_cursor']}", headers=shown)).json()["items"]
    by = [("reset", "programme"), ("locked", "redemption"), ("changed", "programme"), ("set", "programme")]
    assert [(one["change"], one["changed_by"]) for one in kept] == by


async def test_two_first_pins_at_once_leave_one(client: httpx2.AsyncClient, ada: str) -> None:
    answers = await asyncio.gather(*(put(client, ada, pin) for pin in (PIN, OTHER, THIRD)))
    assert [answer.status_code for answer in answers].count(200) == 1
    assert {slug(answer)[1] for answer in answers if answer.status_code != 200} <= {
        "pin-set-meanwhile",
        "current-pin-needed",
    }


async def test_a_pin_stands_nowhere_and_its_hash_under_the_members_key_alone(
    client: httpx2.AsyncClient, database: Database, ada: str
) -> None:
    with logged(service="members", role="api", level="debug") as logs:
        await put(client, ada, "59031746")
        await put(client, ada, "84620195", "59031746")
        await verify(client, ada, "84620195")
        await verify(client, ada, "59031746")
        await put(client, ada, {"value": "84620195"})
    assert await tables_holding(database, ["59031746", "84620195", "argon2"]) == {}
    assert not [pin for pin in ("59031746", "84620195") if pin in logs.getvalue()]


async def test_an_export_tells_that_there_is_one_and_an_erasure_and_a_merge_take_it_away(
    client: httpx2.AsyncClient, database: Database, ada: str
) -> None:
    bea = await enrol(client)
    await put(client, ada, PIN)
    await put(client, bea, OTHER)
    merge = {"merged_member_id": bea, "reason_code": "duplicate"}
    merged = await client.post(f"/v1/members/{ada}/merge", json=merge, headers=bearing())
    assert merged.status_code == 200, merged.text
    assert [(await verify(client, bea, pin))["outcome"] for pin in (OTHER, PIN)] == ["wrong", "verified"]
    assert slug(await put(client, bea, THIRD)) == (409, "member-merged")
    erasure = {"reason_code": "data_subject_request"}
    erased = await client.post(f"/v1/members/{ada}/erase", json=erasure, headers=bearing())
    assert erased.status_code == 200, erased.text
    async with database.transaction() as transaction:
        assert await transaction.raw.fetchval("select count(*) from member_pins") == 0
    assert (await verify(client, ada, PIN))["outcome"] == "none"
    assert slug(await put(client, ada, PIN)) == (409, "member-gone")


async def test_pins_are_the_programmes_own(client: httpx2.AsyncClient, ada: str) -> None:
    url = f"/v1/members/{ada}/pin"
    for method, path, scope in (
        ("PUT", url, "pins:write"),
        ("DELETE", url, "pins:reset"),
        ("GET", url, "pins:verify"),
        ("GET", f"{url}-changes", "members:audit"),
        ("POST", f"{url}:verify", "pins:verify"),
    ):
        body = {"pin": PIN} if method in ("PUT", "POST") else None
        refused = await client.request(method, path, json=body, headers=bearing("members:write"))
        assert (refused.status_code, refused.json()["scope"]) == (403, scope)
        bound = await client.request(method, path, json=body, headers=bearing(scope, partner_id="grocer"))
        assert slug(bound) == (403, "programme-only")
    assert slug(await put(client, str(uuid4()), PIN)) == (404, "not-found")
    assert slug(await reset(client, str(uuid4()))) == (404, "not-found")
