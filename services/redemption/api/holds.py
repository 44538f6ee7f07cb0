"""Reserve points for a checkout: most requests share a transaction, what asks for more has one of its own."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Annotated, NamedTuple

import orjson
from asyncpg import UniqueViolationError
from fastapi import APIRouter, Response

from services.redemption import metrics
from services.redemption.api.reading import at_partner, in_store, opened, shown_at_till
from services.redemption.api.refusals import already_captured, declined, facts_behind, price_changed, require_spent
from services.redemption.api.spend_gate import SpendGate, Wanted, outcome_of
from services.redemption.domain.confirming import Asked
from services.redemption.domain.errors import FactsBehindError, PriceChangedError, RedemptionIdTakenError
from services.redemption.domain.hold_lives import CHANNEL_DEFAULT
from services.redemption.domain.hold_wish import HoldWish
from services.redemption.domain.holding import Paid
from services.redemption.domain.presenting import Presented
from services.redemption.programme import Programme
from services.redemption.schemas.balances import BalanceAnswer
from services.redemption.schemas.challenges import ChallengeAnswer
from services.redemption.schemas.redemptions import HeldAnswer, HoldBody
from services.redemption.use_cases.clear_spending import cleared_by_fraud
from services.redemption.use_cases.hold_points import Declined, Held, Spender, hold_points, was_held
from services.redemption.use_cases.hold_together import HoldAsked, hold_together
from shared import ledger
from shared.database import Database, Transaction
from shared.ids import key_version_of
from shared.telemetry.trace_context import current_traceparent
from shared.web import (
    Answer,
    Decided,
    IdempotencyKey,
    Left,
    Principal,
    ProblemAnswer,
    Shared,
    Sharing,
    UnderWay,
    idempotent,
    invalid_field,
    problems,
    requires,
)

Writer = Annotated[Principal, requires("redemptions:write")]

_SAID_BY_ITSELF = {
    "identifier",
    "store_id",
    "categories",
    "point_type",
    "quote_id",
    "channel",
    "confirmation_code",
    "pin",
}


class Holding(NamedTuple):
    """A hold that shares a transaction. ``outcomes``: what metrics call what became of it; the last one stands."""

    asked: HoldAsked
    outcomes: list[str]


def sharing_holds(database: Database, programme: Programme) -> Sharing[Holding]:
    """Lets holds share transactions: those of one member wait for one another alone."""

    async def work(transaction: Transaction, holds: Sequence[Holding], *, waits: bool) -> list[Shared]:
        decided = await hold_together(transaction, [hold.asked for hold in holds], programme, waits=waits)
        return [_shared(hold, one, programme) for hold, one in zip(holds, decided, strict=True)]

    def subject(hold: Holding) -> object:
        return hold.asked.spender.member_id or hold.asked.spender.identifier_hashes

    return Sharing(database, work, subject)


def holds_router(database: Database, programme: Programme, gate: SpendGate, sharing: Sharing[Holding]) -> APIRouter:
    """Reserving."""
    router = APIRouter(prefix="/v1/redemptions", tags=["redemptions"])

    @router.post(
        "",
        status_code=201,
        response_model=HeldAnswer,
        responses={202: {"model": ChallengeAnswer}, **problems(400, 401, 403, 404, 409, 413, 415, 422, 503)},
    )
    async def hold(body: HoldBody, principal: Writer, key: IdempotencyKey) -> Response:
        """Reserve points for a checkout: what is available falls at once, so that a capture can never overdraw.

        Refused (409) where the member has too little (``available`` says how much there is), may not spend, or where
        the redemption id is spent. A large hold is answered with 503 while the facts about members are old. Where
        spending looks unusual the answer is 202: a code was sent, and the request comes again with it or a PIN.
        """
        require_spent(body.point_type, programme.point_types)
        seconds, is_taken_in_parts = _life(body, programme)
        spender = _spender(body, programme)
        wish = HoldWish(
            at_partner(principal, body.partner_id),
            body.points,
            timedelta(seconds=seconds),
            in_store(principal, body.store_id),
            frozenset(body.categories),
            body.point_type,
            body.quote_id,
            is_taken_in_parts,
        )
        fingerprint = _fingerprint(body, spender, programme.point_type, seconds)
        wanted = Wanted("hold", body.point_type or programme.point_type, body.points, wish.partner_id, wish.store_id)
        asked = await gate.ask(principal, key, fingerprint, spender, wanted, body.pin)
        outcomes: list[str] = []
        response: Response | None = None
        clearance = None if asked is None else cleared_by_fraud(asked)
        with _id_taken_by_voucher():
            if asked is None or clearance is not None:
                one = HoldAsked(spender, wish, body.redemption_id, clearance, current_traceparent())
                response = await sharing.answer(principal, key, fingerprint, Holding(one, outcomes))
            if response is None:
                work = partial(_alone, body, spender, wish, programme, gate, asked, outcomes)
                response = await idempotent(database, principal, key, fingerprint, work, is_hot=True)
        if outcomes:  # a replayed answer decided nothing; of several attempts the last one stands
            metrics.HOLDS.labels(outcomes[-1]).inc()
        return response

    return router


async def _alone(
    body: HoldBody,
    spender: Spender,
    wish: HoldWish,
    programme: Programme,
    gate: SpendGate,
    asked: Asked | None,
    outcomes: list[str],
    transaction: Transaction,
) -> Decided:
    has_left = partial(was_held, redemption_id=body.redemption_id)
    clearance = await gate.clear(transaction, asked, body.confirmation_code, has_left)
    if isinstance(clearance, UnderWay | ProblemAnswer):
        outcomes.append(outcome_of(clearance))
        return clearance
    request = wish.request(transaction.now, clearance)
    try:
        decided = await hold_points(transaction, spender, request, programme, body.redemption_id)
    except FactsBehindError as error:
        metrics.HOLDS.labels("facts_behind").inc()
        raise facts_behind(error) from None
    except PriceChangedError as error:
        metrics.HOLDS.labels("price_changed").inc()
        raise price_changed(error) from None
    outcomes.append(_outcome(decided))
    return await gate.settled(transaction, clearance, _answer(decided, spender, programme))


def _shared(hold: Holding, decided: Held | Declined | Left, programme: Programme) -> Shared:
    if isinstance(decided, Left):
        return decided
    hold.outcomes.append(_outcome(decided))
    return _answer(decided, hold.asked.spender, programme)


@contextmanager
def _id_taken_by_voucher() -> Iterator[None]:
    """A hold that is there already is a voucher's: a redemption's would have been met in its row."""
    try:
        yield
    except UniqueViolationError as error:
        if not ledger.is_hold_taken(error):
            raise
        raise RedemptionIdTakenError from None


def _spender(body: HoldBody, programme: Programme) -> Spender:
    code = None if body.code is None else opened(programme, body.code, "/code")
    if body.identifier is None:
        return Spender(body.member_id, presented=Presented(code=code, session_id=body.session_id))
    return shown_at_till(programme, body.identifier, code=code, session_id=body.session_id)


def _life(body: HoldBody, programme: Programme) -> tuple[int, bool]:
    """How long the hold lives, and whether receipts take parts of it, as its channel says."""
    life = programme.hold_lives.get(body.channel)
    if life is None:
        raise invalid_field("/channel", f"the programme's channels are {', '.join(sorted(programme.hold_lives))}")
    seconds = body.expires_in_seconds or life.seconds
    if seconds > life.seconds_max:
        raise invalid_field(
            "/expires_in_seconds", f"a hold of the channel {body.channel} lives {life.seconds_max} seconds at most"
        )
    return seconds, life.is_taken_in_parts


def _fingerprint(body: HoldBody, spender: Spender, own_type: str, seconds: int) -> bytes:
    """What tells a retry from another request: the identifier by its keyed hash, since a plain digest of a card or a
    phone number can be guessed, and under the oldest valid key, so that a retry is one while the key is replaced; a QR
    token as it stands, since it says nothing. A code or PIN of the member's makes it no other request, and is in no
    record."""
    said = body.model_dump(mode="json", exclude=_SAID_BY_ITSELF)
    said["expires_in_seconds"] = seconds  # as it is meant, whether it was said or not
    if body.channel != CHANNEL_DEFAULT:
        said["channel"] = body.channel
    if body.store_id is not None or body.categories:  # without them a request is what it was before there were any
        said |= {"store_id": body.store_id, "categories": sorted(body.categories)}
    if body.point_type not in (None, own_type):
        said["point_type"] = body.point_type
    if body.quote_id is not None:
        said["quote_id"] = str(body.quote_id)
    shown = body.identifier
    said["identifier_hash"] = min(spender.identifier_hashes, key=key_version_of, default=None)
    if shown is not None:
        said["entry_method"] = shown.entry_method
        said["qr_token"] = shown.value if spender.presented.token is not None else None
    return orjson.dumps(said)


def _answer(decided: Held | Declined | Paid, spender: Spender, programme: Programme) -> Decided:
    match decided:
        case Held(redemption=redemption, balance=balance):
            answer = HeldAnswer.of(redemption, programme.point_types, balance=BalanceAnswer.of(balance))
            return Answer(201, answer)
        case Declined():
            refusal = declined(decided, spender.presented.capability, programme.capabilities.version)
            return UnderWay(ProblemAnswer(refusal)) if refusal.may_pass else ProblemAnswer(refusal)
        case Paid():
            return ProblemAnswer(already_captured())


def _outcome(decided: Held | Declined | Paid) -> str:
    match decided:
        case Held():
            return "held"
        case Declined(decline=decline):
            return decline.reason
        case Paid():
            return "already_captured"
