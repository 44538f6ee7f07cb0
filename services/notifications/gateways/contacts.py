"""A member's address, read from the registry at the moment of sending and never kept."""

import asyncio
from dataclasses import dataclass, field
from uuid import UUID

import httpx2
from email_validator import EmailNotValidError, validate_email
from pydantic import BaseModel, ConfigDict, ValidationError

from services.notifications.domain.delivery import NotDeliverable
from services.notifications.domain.standing import SUPPRESSES
from shared.events.members import MemberStatus
from shared.web.access_tokens import AccessToken, TokenUnavailableError, authorised_get

CONTACT_DEADLINE_SECONDS = 3.0


class ContactsUnavailableError(Exception):
    """The registry cannot say now. The message names no address."""


@dataclass(frozen=True, slots=True)
class Contact:
    """Whom to write to, where, and in which language. ``repr`` shows neither name nor address, so no log can."""

    given_name: str = field(repr=False)
    address: str = field(repr=False)
    language: str | None


class _ContactAnswer(BaseModel):
    """Errors in it must not quote it."""

    model_config = ConfigDict(hide_input_in_errors=True)

    status: MemberStatus
    given_name: str
    email: str | None = None
    language: str | None = None


class Contacts:
    """The registry's contact route. At most ``concurrent_max`` questions are open at a time."""

    def __init__(
        self, client: httpx2.AsyncClient, members_url: str, token: AccessToken, *, concurrent_max: int = 16
    ) -> None:
        self._client = client
        self._members_url = members_url.rstrip("/")
        self._token = token
        self._slots = asyncio.Semaphore(concurrent_max)

    async def find(self, member_id: UUID) -> Contact | NotDeliverable:
        """The member's contact, or why there is none.

        Raises:
            ContactsUnavailableError: the registry or the token service is away, slow, or does not let us in.
        """
        async with self._slots:
            try:
                async with asyncio.timeout(CONTACT_DEADLINE_SECONDS):
                    url = f"{self._members_url}/v1/members/{member_id}/contact"
                    answer = await authorised_get(self._client, self._token, url)
            except (httpx2.HTTPError, TimeoutError, TokenUnavailableError) as error:
                raise ContactsUnavailableError(f"the registry did not answer ({type(error).__name__})") from None
        match answer.status_code:
            case 200:
                return _contact_of(answer.content)
            case 404 | 410:
                return NotDeliverable("member_unknown")
            case status:
                raise ContactsUnavailableError(f"the registry answered {status}")


def _contact_of(body: bytes) -> Contact | NotDeliverable:
    try:
        answer = _ContactAnswer.model_validate_json(body)
    except ValidationError:
        raise ContactsUnavailableError("the registry's answer is no contact") from None
    suppressed = SUPPRESSES[answer.status]
    if suppressed is not None:
        return NotDeliverable(suppressed)
    if not answer.email:
        return NotDeliverable("no_address")
    try:
        # The form alone: whether such a domain can exist is for the mail server to say.
        validated = validate_email(answer.email, check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError:
        return NotDeliverable("address_unsupported")
    if validated.ascii_email is None:  # a local part beyond ASCII needs SMTPUTF8 on the whole way
        return NotDeliverable("address_unsupported")
    return Contact(answer.given_name, validated.ascii_email, answer.language)
