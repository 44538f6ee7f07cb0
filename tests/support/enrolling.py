"""People who enrol with the members service, over HTTP and by hand."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import httpx2

from services.members.domain.registry import Claim, Person
from services.members.settings import MembersSettings
from services.members.use_cases.enrol_member import Enrolment, enrol_member
from shared.database import Database
from shared.ids import new_id
from tests.support.registries import bearing


def person(name: str, *identifiers: dict[str, str], **said: object) -> dict[str, Any]:
    """What is said of who enrols; the name makes the address, which is nobody else's."""
    return {
        "given_name": name,
        "family_name": "Test",
        "email": f"{name}@example.com",
        "language": "en",
        "identifiers": list(identifiers),
    } | said


async def enrol(client: httpx2.AsyncClient, name: str, *identifiers: dict[str, str], **said: object) -> str:
    """The id of a new member, over HTTP."""
    answer = await client.post("/v1/members", json=person(name, *identifiers, **said), headers=bearing())
    assert answer.status_code == 201, answer.text
    return str(answer.json()["member_id"])


async def enrol_somebody(client: httpx2.AsyncClient, *identifiers: dict[str, str], **said: object) -> str:
    """The same of whom the name is no matter."""
    return await enrol(client, uuid4().hex, *identifiers, **said)


def enrolment(settings: MembersSettings, name: str, claims: Sequence[Claim] = ()) -> Enrolment:
    """The same as the use case takes it."""
    email = f"{name}@example.com"
    return Enrolment(
        member_id=new_id(),
        channel="web",
        person=Person("Test", name, email, None),
        email_hashes=settings.identities.email_hashes(email),
        language="en",
        region=None,
        claims=list(claims),
        enrolled_by="test",
    )


async def enrol_by_hand(database: Database, settings: MembersSettings, name: str, claims: Sequence[Claim] = ()) -> UUID:
    """The id of a new member, in a transaction of its own."""
    enrolling = enrolment(settings, name, claims)
    async with database.transaction() as transaction:
        await enrol_member(transaction, enrolling, settings.keys)
    return enrolling.member_id
