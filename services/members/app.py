"""Wiring: settings to database and routes; nothing else. Members reads no topic."""

from services.members.api.registry import enrolment_router, lookup_router
from services.members.domain.errors import (
    AlreadyEnrolledError,
    BornLaterError,
    IdentifierTakenError,
    IdentifierUnknownError,
    MemberNotFoundError,
)
from services.members.settings import MembersSettings
from shared.runtime import ServiceContext, Wiring

DOMAIN_PROBLEMS: dict[type[Exception], tuple[int, str, str]] = {
    AlreadyEnrolledError: (409, "already-enrolled", "Already enrolled"),
    BornLaterError: (422, "invalid-request", "Invalid request"),
    IdentifierTakenError: (409, "identifier-taken", "Identifier taken"),
    IdentifierUnknownError: (404, "identifier-unknown", "Identifier unknown"),
    MemberNotFoundError: (404, "not-found", "Not found"),
}


async def build(context: ServiceContext[MembersSettings]) -> Wiring:
    """Put members together for one process."""
    settings, database = context.settings, context.database
    identities, master_keys = settings.identities, settings.keys
    return Wiring(
        routers=(
            enrolment_router(database, identities, master_keys),
            lookup_router(database, identities, master_keys),
        ),
        on_start=(database.warm,),
        domain_problems=DOMAIN_PROBLEMS,
    )
