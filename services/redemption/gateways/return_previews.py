"""What goods that come back would take of points, asked of accrual."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Literal, NamedTuple
from uuid import UUID

import httpx2
import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from services.redemption.gateways.asking import UnansweredError, ask
from services.redemption.gateways.circuit import Circuit
from shared.web.access_tokens import AccessToken, authorised_post

# Told apart from checkouts' questions: those go on while these are not answered.
NEIGHBOUR = "accrual_returns"


class ComesBack(NamedTuple):
    """Points that are a member's again by the return."""

    member_id: UUID
    point_type: str
    points: int


class _Told(BaseModel):
    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)


class BoughtLine(_Told):
    """A line of the receipt as accrual has it, and how much of it has come back so far."""

    line_id: int
    quantity_thousandths: int
    amount_minor: int
    returned_thousandths: int


class Bought(_Told):
    """What a receipt sold. ``points_minor`` of it points have paid; ``is_exchange``: an exchange handed it over."""

    occurred_at: datetime
    points_minor: int
    is_exchange: bool
    lines: tuple[BoughtLine, ...]


class Taken(_Told):
    """Points of a type that would be taken: ``from_pending`` of them still wait, ``lacking`` are not there, of which
    nobody would owe those that are ``forgiven``."""

    point_type: str
    points: int
    from_pending: int
    lacking: int
    forgiven: int = 0


class TakenOfLine(_Told):
    """What a line would take of a type, after the lines before it, and its part of what is lacking."""

    line_id: int
    point_type: str
    points: int
    lacking: int


class ReturnPreview(_Told):
    """What would become of a return. ``awaiting``: accrual knows no such receipt; ``parked``: the return would wait as
    its receipt does; ``refused``: it takes nothing. ``policy``: what becomes of what is lacking, unless that is so
    little, all in all, that it is below ``forgive_below``; tills are to ``withhold`` money of the refund for it."""

    status: Literal["awaiting", "parked", "refused", "awarded"]
    reason: str | None = None
    detail: str | None = None
    policy: Literal["debt", "clip", "refuse"] | None = None
    forgive_below: int | None = None
    withhold: bool = False
    taken: tuple[Taken, ...]
    taken_of_lines: tuple[TakenOfLine, ...]
    goods: Bought | None = None


class ReturnPreviews:
    """accrual's route ``POST /v1/returns:preview``, as our own API client."""

    def __init__(self, client: httpx2.AsyncClient, accrual_url: str, token: AccessToken) -> None:
        self._client = client
        self._url = f"{accrual_url.rstrip('/')}/v1/returns:preview"
        self._token = token
        self._circuit = Circuit(NEIGHBOUR)

    async def preview(
        self, original_receipt_id: str, thousandths: Mapping[int, int], comes_back: Iterable[ComesBack]
    ) -> ReturnPreview:
        """What would become of a return of these quantities by line. The caller sets the deadline.

        Raises:
            UnansweredError: accrual is away, or does not let us in.
        """
        body = orjson.dumps(
            {
                "original_receipt_id": original_receipt_id,
                "lines": [
                    {"line_id": line_id, "quantity_thousandths": quantity} for line_id, quantity in thousandths.items()
                ],
                "comes_back": [{**one._asdict(), "member_id": str(one.member_id)} for one in comes_back],
            }
        )
        answer = await ask(self._circuit, lambda: authorised_post(self._client, self._token, self._url, body))
        if answer.status_code != httpx2.codes.OK:
            raise UnansweredError("failed", f"accrual answered {answer.status_code}")
        try:
            return ReturnPreview.model_validate_json(answer.content)
        except ValidationError:
            raise UnansweredError("failed", "accrual's answer is none") from None
