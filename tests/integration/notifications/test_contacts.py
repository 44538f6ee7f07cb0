"""The registry and the token desk as they really answer: notifications reads an address from them."""

from collections.abc import Callable

from services.notifications.domain.delivery import NotDeliverable
from services.notifications.gateways.contacts import Contact, Contacts
from shared.database import Database
from shared.ids import new_id
from shared.web.access_tokens import AccessToken
from tests.support.registries import bearing, coalition_client, coalition_settings, members_client

CLIENT = {"client_id": "notifications", "secret": "correct horse battery staple", "scopes": ["members:contact"]}


async def test_an_address_is_read_from_the_real_registry_with_a_real_token(
    database_of: Callable[[str], Database],
) -> None:
    enrolment = {"given_name": "Ada", "family_name": "L", "email": "ada@example.com", "language": "es-MX"}
    async with (
        coalition_client(database_of("coalition"), coalition_settings([CLIENT])) as tokens,
        members_client(database_of("members")) as members,
    ):
        enrolled = await members.post("/v1/members", json=enrolment, headers=bearing("members:write"))
        assert enrolled.status_code == 201
        token = AccessToken(tokens, "http://test/oauth/token", "notifications", str(CLIENT["secret"]))
        contacts = Contacts(members, "http://test", token)

        found = await contacts.find(enrolled.json()["member_id"])
        stranger = await contacts.find(new_id())

    assert found == Contact("Ada", "ada@example.com", "es-MX")
    assert "ada" not in repr(found).lower()
    assert stranger == NotDeliverable("member_unknown")
