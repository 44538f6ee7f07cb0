"""How a cashier greets a member, asked of the registry for one answer and never kept."""

from dataclasses import dataclass, field
from uuid import UUID

import httpx2
from pydantic import BaseModel, ConfigDict, ValidationError

from services.redemption.gateways.asking import UnansweredError, ask
from services.redemption.gateways.circuit import Circuit
from shared.web.access_tokens import AccessToken, authorised_get

NEIGHBOUR = "members"


@dataclass(frozen=True, slots=True)
class MemberName:
    """``repr`` shows nothing of it, so no log can."""

    given_name: str = field(repr=False)
    family_initial: str = field(repr=False)


class _NameAnswer(BaseModel):
    """Errors in it must not quote it."""

    model_config = ConfigDict(hide_input_in_errors=True)

    given_name: str
    family_initial: str


class MemberNames:
    """members' route ``GET /v1/members/{id}/name``, as our own API client."""

    def __init__(self, client: httpx2.AsyncClient, members_url: str, token: AccessToken) -> None:
        self._client = client
        self._members_url = members_url.rstrip("/")
        self._token = token
        self._circuit = Circuit(NEIGHBOUR)

    async def find(self, member_id: UUID, shown_to: str) -> MemberName | None:
        """The member's name, of whom the registry records that ``shown_to`` saw it; None where nobody is behind the id.
        The caller sets the deadline.

        Raises:
            UnansweredError: the registry is away, or does not let us in.
        """
        url, said = f"{self._members_url}/v1/members/{member_id}/name", {"shown_to": shown_to}
        answer = await ask(self._circuit, lambda: authorised_get(self._client, self._token, url, said))
        if answer.status_code == httpx2.codes.NOT_FOUND:
            return None
        if answer.status_code != httpx2.codes.OK:
            raise UnansweredError("failed", f"the registry answered {answer.status_code}")
        try:
            found = _NameAnswer.model_validate_json(answer.content)
        except ValidationError:
            raise UnansweredError("failed", "the registry's answer is no name") from None
        return MemberName(found.given_name, found.family_initial)
