"""Nothing that a person said stands in a log line, whatever goes wrong."""

import io
from collections.abc import Callable, Iterator

import asyncpg
import httpx2
import pytest

from shared.database import Database
from tests.support.databases import FreshDatabase
from tests.support.logged import logged
from tests.support.registries import bearing, members_client

PERSON = {
    "given_name": "Zebulon",
    "family_name": "Quagmire",
    "email": "zebulon@example.com",
    "phone": "+12125550199",
    "language": "en",
    "identifiers": [{"type": "card", "value": "QX77001122"}],
}
PERSONAL = ("zebulon", "quagmire", "2125550199", "qx77001122")


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """Everything that is logged while the test runs."""
    with logged(service="members", role="api", level="debug") as stream:
        yield stream


async def test_a_fault_in_the_middle_of_an_enrolment_logs_no_person(
    fresh_database: FreshDatabase, database_of: Callable[[str], Database], lines: io.StringIO
) -> None:
    # A violated check quotes the whole row in its detail.
    admin = await asyncpg.connect(fresh_database.admin_url)
    await admin.execute("alter table members.persons add constraint nobody check (sealed = 'nobody'::bytea)")
    await admin.close()
    async with members_client(database_of("members")) as client:
        answer = await client.post("/v1/members", json=PERSON, headers=bearing())
    assert answer.status_code == 500
    logged = lines.getvalue().lower()
    assert "request failed" in logged
    assert "23514" in logged
    for personal in PERSONAL:
        assert personal not in logged
        assert personal not in answer.text.lower()


async def test_refusals_and_answers_log_no_person(client: httpx2.AsyncClient, lines: io.StringIO) -> None:
    await client.post("/v1/members", json=PERSON, headers=bearing())
    await client.post("/v1/members", json=PERSON, headers=bearing())
    await client.post("/v1/members", json=PERSON | {"email": "zebulon"}, headers=bearing())
    await client.post("/v1/identifiers:resolve", json=PERSON["identifiers"], headers=bearing())
    await client.post("/v1/identifiers:resolve", json={"type": "card", "value": "qx77001122"}, headers=bearing())
    assert not any(personal in lines.getvalue().lower() for personal in PERSONAL)
