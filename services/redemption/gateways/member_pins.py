"""Whether somebody at a till knows a member's PIN, asked of the registry, and never kept."""

from datetime import datetime
from uuid import UUID

import httpx2
import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from services.redemption.domain.pins import PinOutcome, TriedPin, Way
from services.redemption.gateways.asking import UnansweredError, ask
from services.redemption.gateways.circuit import Circuit
from shared.web.access_tokens import AccessToken, authorised_get, authorised_post

NEIGHBOUR = "members_pins"


class _TriedAnswer(BaseModel):
    model_config = ConfigDict(hide_input_in_errors=True)

    outcome: PinOutcome
    tries_left: int | None
    locked_until: datetime | None


class _StateAnswer(BaseModel):
    model_config = ConfigDict(hide_input_in_errors=True)

    state: str
    has_address: bool = True  # what members said nothing of before


class MemberPins:
    """members' routes ``GET /v1/members/{id}/pin`` and ``POST …/pin:verify``, as our own API client."""

    def __init__(self, client: httpx2.AsyncClient, members_url: str, token: AccessToken) -> None:
        self._client = client
        self._members_url = members_url.rstrip("/")
        self._token = token
        self._circuit = Circuit(NEIGHBOUR)

    async def ways(self, member_id: UUID) -> tuple[Way, ...]:
        """By what the member could confirm now: none, where there is neither an address nor a PIN that counts. The
        caller sets the deadline.

        Raises:
            UnansweredError: the registry is away, or does not let us in.
        """
        url = self._url(member_id)
        answer = await ask(self._circuit, lambda: authorised_get(self._client, self._token, url))
        try:
            known = _StateAnswer.model_validate_json(_content(answer))
        except ValidationError:
            raise UnansweredError("failed", "the registry's answer is no state of a PIN") from None
        has: dict[Way, bool] = {"code": known.has_address, "pin": known.state == "counts"}
        return tuple(way for way, is_there in has.items() if is_there)

    async def verify(self, member_id: UUID, pin: str) -> TriedPin:
        """Try a PIN; each call is a try, which the registry counts. The caller sets the deadline.

        Raises:
            UnansweredError: the registry is away or does not let us in; the try may have been counted.
        """
        url, body = f"{self._url(member_id)}:verify", orjson.dumps({"pin": pin})
        answer = await ask(self._circuit, lambda: authorised_post(self._client, self._token, url, body))
        try:
            tried = _TriedAnswer.model_validate_json(_content(answer))
        except ValidationError:
            raise UnansweredError("failed", "the registry's answer is none about a PIN") from None
        return TriedPin(tried.outcome, tried.tries_left, tried.locked_until)

    def _url(self, member_id: UUID) -> str:
        return f"{self._members_url}/v1/members/{member_id}/pin"


def _content(answer: httpx2.Response) -> bytes:
    if answer.status_code != httpx2.codes.OK:
        raise UnansweredError("failed", f"the registry answered {answer.status_code}")
    return answer.content
