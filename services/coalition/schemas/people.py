"""What HTTP says of people."""

from datetime import datetime
from typing import Annotated, Self, TypeAlias

from pydantic import Field

from services.coalition.domain.registry import ApiClient
from services.coalition.schemas.fields import AnswerModel
from shared.roles import PERSON_PREFIX, ROLES, Role
from shared.web import Body, CodeText, Text

SUBJECT_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
SUBJECT_LENGTH_MAX = 57  # with its prefix as long as a client's id may be

Subject: TypeAlias = Annotated[
    str,
    Field(
        pattern=SUBJECT_PATTERN,
        max_length=SUBJECT_LENGTH_MAX,
        description="An id, and no name: it stands in events and in the audit log. Letters, digits and . _ -",
    ),
]
Roles: TypeAlias = Annotated[list[Role], Field(min_length=1, max_length=len(ROLES))]


class PersonBody(Body):
    """Somebody who works with the programme. ``partner_id`` binds a partner's user, and nobody else."""

    subject: Subject
    roles: Roles
    partner_id: CodeText | None = None


class RolesBody(Body):
    """All roles that the person has from now on."""

    roles: Roles
    why: Text | None = None


class PersonView(AnswerModel):
    """A person without a secret; ``client_id`` is what stands in the audit log as author."""

    subject: str
    client_id: str
    partner_id: str | None
    roles: list[str]
    scopes: list[str]
    is_revoked: bool
    previous_valid_until: datetime | None = Field(description="Until when the secret that was replaced stays good.")
    version: int

    @classmethod
    def of(cls, person: ApiClient) -> Self:
        """The answer for a person."""
        return cls(
            subject=person.client_id.removeprefix(PERSON_PREFIX),
            client_id=person.client_id,
            partner_id=person.partner_id,
            roles=list(person.roles),
            scopes=list(person.scopes),
            is_revoked=person.is_revoked,
            previous_valid_until=person.previous_valid_until,
            version=person.version,
        )
