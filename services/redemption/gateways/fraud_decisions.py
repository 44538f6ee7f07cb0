"""Whether points may leave, asked of fraud."""

from typing import Literal

import httpx2
import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from services.redemption.domain.confirming import Verdict, Wish
from services.redemption.gateways.asking import UnansweredError, ask
from services.redemption.gateways.circuit import Circuit
from shared.web.access_tokens import AccessToken, authorised_post

NEIGHBOUR = "fraud"


class FraudDecisions:
    """fraud's route ``POST /v1/decisions``, as our own API client."""

    def __init__(self, client: httpx2.AsyncClient, fraud_url: str, token: AccessToken) -> None:
        self._client = client
        self._url = f"{fraud_url.rstrip('/')}/v1/decisions"
        self._token = token
        self._circuit = Circuit(NEIGHBOUR)

    async def decide(self, wish: Wish) -> Verdict:
        """What fraud says of a wish, the same to every call under its id. The caller sets the deadline.

        Raises:
            UnansweredError: fraud is away, or does not let us in.
        """
        body = orjson.dumps(
            {
                "decision_id": str(wish.decision_id),
                "kind": wish.kind,
                "member_id": str(wish.member_id),
                "point_type": wish.point_type,
                "points": wish.points,
                "partner_id": wish.partner_id,
                "store_id": wish.store_id,
            }
        )
        answer = await ask(self._circuit, lambda: authorised_post(self._client, self._token, self._url, body))
        if answer.status_code == httpx2.codes.CONFLICT:
            return Verdict.OTHER_REQUEST
        if answer.status_code != httpx2.codes.OK:
            raise UnansweredError("failed", f"fraud answered {answer.status_code}")
        try:
            return Verdict(_Decision.model_validate_json(answer.content).verdict)
        except ValidationError:
            raise UnansweredError("failed", "fraud's answer is none") from None


class _Decision(BaseModel):
    model_config = ConfigDict(hide_input_in_errors=True)

    verdict: Literal["allow", "step_up", "deny"]
