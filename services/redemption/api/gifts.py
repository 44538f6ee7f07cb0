"""``/v1/gifts``: points that one member gives to another."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

import orjson
from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from services.redemption import metrics
from services.redemption.api.gift_refusals import ask_again, refused
from services.redemption.api.reading import shown_at_till
from services.redemption.api.refusals import require_spent
from services.redemption.api.spend_gate import SpendGate, Wanted, outcome_of
from services.redemption.domain.errors import FactsBehindError
from services.redemption.domain.gifting import GiftLimits, GiftRefusedError, MergeUnderWayError
from services.redemption.programme import Programme
from services.redemption.repository import gifts
from services.redemption.schemas.balances import BalanceAnswer
from services.redemption.schemas.challenges import ChallengeAnswer, ConfirmationCode, ConfirmationPin, refuse_both
from services.redemption.schemas.identifiers import ShownIdentifierBody
from services.redemption.use_cases.give_points import GiftWish, Given, give_points
from services.redemption.use_cases.hold_points import Spender
from shared.database import Database, Transaction
from shared.ids import key_version_of
from shared.point_types import PointTypes
from shared.web import (
    Answer,
    Body,
    CodeText,
    IdempotencyKey,
    PositivePoints,
    Principal,
    ProblemAnswer,
    UnderWay,
    idempotent,
    problems,
    requires,
)
from shared.web.programme_only import refuse_partners


class GiftBody(Body):
    """Give points of a member to another one, named by id or by identifier."""

    gift_id: UUID = Field(description="Your own id, made before you ask: the same gift sent twice is one, for ever.")
    member_id: UUID = Field(description="Who gives. You vouch for the person.")
    receiver_id: UUID | None = None
    receiver_identifier: ShownIdentifierBody | None = None
    points: PositivePoints
    point_type: CodeText | None = Field(
        default=None, description="Of which type; the programme's own, where it is left out. It must be one to spend."
    )

    confirmation_code: ConfirmationCode = None
    pin: ConfirmationPin = None

    @model_validator(mode="after")
    def _names_one_receiver(self) -> Self:
        if (self.receiver_id is None) == (self.receiver_identifier is None):
            detail = "Name the receiver by receiver_id or by receiver_identifier: one of the two"
            raise PydanticCustomError("one_receiver", detail)
        refuse_both(self.confirmation_code, self.pin)
        return self


class GiftAnswer(BaseModel):
    """The points went. ``balance`` is the giver's by then; of all points, ``exponent`` decimals are shown."""

    model_config = ConfigDict(frozen=True)

    gift_id: UUID
    member_id: UUID
    receiver_id: UUID
    point_type: str
    exponent: int
    points: int
    given_at: datetime
    balance: BalanceAnswer

    @classmethod
    def of(cls, given: Given, types: PointTypes) -> Self:
        """The answer for a gift."""
        gift = given.gift
        return cls(
            gift_id=gift.gift_id,
            member_id=gift.giver_id,
            receiver_id=gift.receiver_id,
            point_type=gift.point_type,
            exponent=types.exponent_of(gift.point_type),
            points=gift.points,
            given_at=gift.given_at,
            balance=BalanceAnswer.of(given.balance),
        )


def gifts_router(database: Database, programme: Programme, limits: GiftLimits, gate: SpendGate) -> APIRouter:
    """Giving, on this process's database."""
    router = APIRouter(prefix="/v1/gifts", tags=["gifts"])

    @router.post(
        "",
        status_code=201,
        response_model=GiftAnswer,
        responses={202: {"model": ChallengeAnswer}, **problems(400, 401, 403, 404, 409, 413, 415, 422, 503)},
    )
    async def give(
        body: GiftBody, principal: Annotated[Principal, requires("gifts:write")], key: IdempotencyKey
    ) -> Response:
        """Give points to another member. They are taken and arrive at once, in one commit, and keep what they are:
        issuer, dates, limits of use. What the receiver owes is cleared from them.

        Refused (409) where the giver has too few, owes points, has given as much as it may, or where one of the two may
        not give or receive now. A large gift is answered with 503 while the facts about members are old. Where spending
        looks unusual the answer is 202: the giver was sent a code, and the same request is sent again with it, or with
        the giver's PIN.
        """
        refuse_partners(principal, "Gifts between members are")
        require_spent(body.point_type, programme.point_types)
        receiver = _receiver(body, programme)
        point_type = body.point_type or programme.point_type
        wish = GiftWish(body.gift_id, body.member_id, receiver, point_type, body.points, principal.client_id)
        fingerprint = _fingerprint(body, receiver, point_type)
        giver = Spender(body.member_id)
        asked = await gate.ask(principal, key, fingerprint, giver, Wanted("gift", point_type, body.points), body.pin)
        outcomes: list[str] = []

        async def has_left(transaction: Transaction) -> bool:
            return await gifts.find_gift(transaction, body.gift_id) is not None

        async def work(transaction: Transaction) -> Answer | ProblemAnswer | UnderWay:
            clearance = await gate.clear(transaction, asked, body.confirmation_code, has_left)
            if isinstance(clearance, UnderWay | ProblemAnswer):
                outcomes.append(outcome_of(clearance))
                return clearance
            try:
                given = await give_points(transaction, replace(wish, clearance=clearance), limits, programme)
            except GiftRefusedError as error:
                outcomes.append(error.reason)
                raise refused(error) from None
            except (FactsBehindError, MergeUnderWayError) as error:
                outcomes.append("facts_behind")
                raise ask_again(error) from None
            outcomes.append("repeat" if given.is_repeat else "given")
            return Answer(201, GiftAnswer.of(given, programme.point_types))

        try:
            response = await idempotent(database, principal, key, fingerprint, work)
        finally:  # a replayed answer decided nothing; of several attempts the last one stands
            if outcomes:
                metrics.GIFTS.labels(outcomes[-1]).inc()
        if outcomes[-1:] == ["given"]:
            metrics.GIFTED_POINTS.labels(point_type).inc(body.points)
        return response

    return router


def _receiver(body: GiftBody, programme: Programme) -> Spender:
    if body.receiver_identifier is None:
        return Spender(body.receiver_id)
    return shown_at_till(programme, body.receiver_identifier, pointer="/receiver_identifier/value")


def _fingerprint(body: GiftBody, receiver: Spender, point_type: str) -> bytes:
    """What tells a retry from another request: the receiver's identifier by its keyed hash, under the oldest valid key,
    so that a retry is one while the key is replaced; a QR token as it stands, since it says nothing."""
    said = body.model_dump(mode="json", exclude={"receiver_identifier", "confirmation_code", "pin"}) | {
        "point_type": point_type
    }
    shown = body.receiver_identifier
    said["identifier_hash"] = min(receiver.identifier_hashes, key=key_version_of, default=None)
    if shown is not None:
        said["entry_method"] = shown.entry_method
        said["qr_token"] = shown.value if receiver.presented.token is not None else None
    return orjson.dumps(said)
