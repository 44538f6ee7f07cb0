"""What a basket would earn, asked of accrual."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Literal

import httpx2
import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from services.redemption.gateways.asking import UnansweredError, ask
from services.redemption.gateways.circuit import Circuit
from shared.web.access_tokens import AccessToken, authorised_post

NEIGHBOUR = "accrual"
# Of all that accrual may say against a basket, what is about the basket or its partner and not about us.
REFUSALS = frozenset({"invalid-request", "partner-not-open"})


class PartToEarn(BaseModel):
    """Points of one type on one set of terms: to be spent at once, from a day on, or once something has come."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    point_type: str
    points: int
    waits_until: date | None = None
    waits_for: str | None = None
    expires_on: date | None = None


class ToEarn(BaseModel):
    """What a basket would earn, or why it would earn nothing, or wait. ``points`` are the programme's own."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    status: Literal["awarded", "refused", "parked"]
    reason: str | None = None
    points: int | None = None
    parts: tuple[PartToEarn, ...] | None = None


class BasketRefusedError(Exception):
    """Accrual would take no receipt of this basket. ``slug`` is its word for why."""

    def __init__(self, slug: str) -> None:
        super().__init__(f"accrual refuses the basket: {slug}")
        self.slug = slug


class BasketPreviews:
    """accrual's route ``POST /v1/baskets:preview``, as our own API client."""

    def __init__(self, client: httpx2.AsyncClient, accrual_url: str, token: AccessToken) -> None:
        self._client = client
        self._url = f"{accrual_url.rstrip('/')}/v1/baskets:preview"
        self._token = token
        self._circuit = Circuit(NEIGHBOUR)

    async def preview(self, basket: Mapping[str, Any]) -> ToEarn:
        """What would become of a basket, told as accrual wants it. The caller sets the deadline.

        Raises:
            BasketRefusedError: accrual would take no receipt of it.
            UnansweredError: accrual is away, or does not let us in.
        """
        body = orjson.dumps(basket)
        answer = await ask(self._circuit, lambda: authorised_post(self._client, self._token, self._url, body))
        try:
            if answer.status_code == httpx2.codes.OK:
                return ToEarn.model_validate_json(answer.content)
            slug = _Refusal.model_validate_json(answer.content).type.rpartition("/")[2]
        except ValidationError:
            raise UnansweredError("failed", "accrual's answer is none") from None
        if slug in REFUSALS:
            raise BasketRefusedError(slug)
        raise UnansweredError("failed", f"accrual answered {answer.status_code}")


class _Refusal(BaseModel):
    model_config = ConfigDict(hide_input_in_errors=True)

    type: str
