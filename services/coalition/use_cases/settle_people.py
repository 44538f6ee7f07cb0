"""Bring people's scopes to what their roles give in this version: a release may have changed the table of roles."""

from functools import partial

from services.coalition.domain.audit import SETTINGS_AUTHOR
from services.coalition.domain.clients import with_roles
from services.coalition.repository import clients
from services.coalition.use_cases.change_client import change_client
from shared.database import Database
from shared.web.known_clients import CLIENTS_MAX


async def settle_people(database: Database) -> None:
    """Write and publish the people whose roles give other scopes than before. Idempotent."""
    async with database.transaction() as transaction:
        people = await clients.load_clients(
            transaction, are_people=True, partner_id=None, after=None, rows_max=CLIENTS_MAX
        )
    for person in people:
        same_roles = partial(with_roles, roles=person.roles)
        if not person.is_revoked and same_roles(person) != person:
            await database.run(
                partial(
                    change_client,
                    client_id=person.client_id,
                    change=same_roles,
                    action="person.roles_settled",
                    author=SETTINGS_AUTHOR,
                    why=None,
                )
            )
