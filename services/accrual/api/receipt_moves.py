"""``/v1/receipt-moves``: a receipt that came under the wrong member is moved to the right one."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import TypeAdapter

from services.accrual.domain.receipt_moves import (
    MoveDecidedError,
    MoveExistsError,
    MoveNotFoundError,
    MoveRefusal,
    MoveState,
    MoveWaitsError,
    OwnMoveError,
    ReceiptMove,
    ReceiptNotMovableError,
    UnknownMoveReasonError,
    id_of_request,
)
from services.accrual.programme import MoveRules
from services.accrual.repository import receipt_moves
from services.accrual.repository.receipt_moves import MoveFilter
from services.accrual.schemas.receipt_moves import ReceiptMoveAnswer, ReceiptMoveBody
from services.accrual.use_cases.move_receipt import approve_move, refuse_move, request_move
from shared.database import Database, Transaction
from shared.receipt_key import MalformedReceiptIdError, natural_key_of, partner_of
from shared.web import (
    Answer,
    IdempotencyKey,
    Page,
    Paging,
    Principal,
    Problem,
    ProblemAnswer,
    idempotent,
    not_found,
    problems,
    refuse_partners,
    requires,
)
from shared.web.answers import Decided
from shared.web.refusals import RETRY_AFTER_SECONDS, DomainProblems

Writer = Annotated[Principal, requires("receipt-moves:write")]
Approver = Annotated[Principal, requires("receipt-moves:approve")]
Reader = Annotated[Principal, requires("receipt-moves:read")]
_WHAT = "Moves of receipts are"
RECEIPT_ID_LENGTH_MAX = 512
OfReceipt = Annotated[str | None, Query(min_length=1, max_length=RECEIPT_ID_LENGTH_MAX)]

_POSITION = TypeAdapter(tuple[datetime, UUID])
_WRITE_PROBLEMS = problems(400, 401, 403, 404, 409, 413, 415, 422)
RECEIPT_MOVE_PROBLEMS: DomainProblems = {
    MoveDecidedError: (409, "move-decided", "Move decided"),
    MoveExistsError: (409, "move-exists", "Move exists"),
    MoveNotFoundError: (404, "not-found", "Not found"),
    MoveWaitsError: (409, "move-waits", "Move waits"),
    OwnMoveError: (403, "own-move", "Own move"),
    UnknownMoveReasonError: (422, "unknown-reason", "Unknown reason"),
}
_WORDS: dict[MoveRefusal, str] = {
    "same_member": "both ids are of one member: name another one",
    "not_awarded": "the receipt was awarded to nobody, or voided, or is a return: a return goes with its purchase",
    "points_spent": "its points are spent, and by the rules of the purchase they are not owed",
    "not_theirs": "the receipt is not of the member that is named in /from_member_id",
    "held_by_fraud": "fraud has put its points on hold: move it when that is decided",
    "returns_wait": "goods of it are being taken back: try again in a few seconds",
    "an_exchange": "goods were exchanged with it for a member's own: void it, and post a return and a purchase instead",
    "document_gone": "its document is older than what is kept, so nobody can award it anew",
    "points_expired": "its points have expired",
    "implausible_points": "it would earn more than any receipt may",
    "member_unknown": "the member in /to_member_id is not known here: if it enrolled just now, try again in a second",
    "member_merged": "the member in /to_member_id was merged into another one: name that one",
    "member_suspended": "the member in /to_member_id is suspended",
    "member_closed": "the member in /to_member_id has left the programme",
    "member_erased": "the data of one of them were erased",
    "not_a_member_then": "the member in /to_member_id joined after the purchase, and its time for claims is over",
}

# Asked again a moment later, it may go.
_PASSING: frozenset[MoveRefusal] = frozenset({"returns_wait", "member_unknown"})


def receipt_moves_routers(database: Database, rules: MoveRules) -> tuple[APIRouter, ...]:
    """Ask for moves, decide on those that wait for a second person, and see who has moved what."""
    return _requests(database, rules), _decisions(database, rules), _reading(database)


def _requests(database: Database, rules: MoveRules) -> APIRouter:
    router = APIRouter(prefix="/v1", tags=["receipts"])

    @router.post(
        "/receipts/{receipt_id}:move", status_code=201, response_model=ReceiptMoveAnswer, responses=_WRITE_PROBLEMS
    )
    async def move(receipt_id: str, body: ReceiptMoveBody, principal: Writer, key: IdempotencyKey) -> Response:
        """Take a receipt back from one member and award it anew to another, by the rules and the time of the purchase.

        What is left of its points is taken (pending, then available, the rest is owed), and the other member gets what
        the purchase would have earned them then. What was paid with points stays paid with them. Done at once up to
        what one person moves alone, as adjustments are; what is more waits for a second person.
        """
        refuse_partners(principal, _WHAT)
        natural_key = _natural_key(receipt_id)

        async def work(transaction: Transaction) -> Decided:
            wanted = ReceiptMove(
                move_id=id_of_request(principal.client_id, key.key),
                natural_key=natural_key,
                from_member_id=body.from_member_id,
                to_member_id=body.to_member_id,
                reason_code=body.reason_code,
                created_by=principal.client_id,
                created_at=transaction.now,
            )
            try:
                return _answer(await request_move(transaction, wanted, rules), 201)
            except ReceiptNotMovableError as error:
                raise _not_moved(error) from error

        return await idempotent(database, principal, key, body, work)

    return router


def _decisions(database: Database, rules: MoveRules) -> APIRouter:
    router = APIRouter(prefix="/v1/receipt-moves/{move_id}", tags=["receipts"])

    @router.post("/approve", response_model=ReceiptMoveAnswer, responses=_WRITE_PROBLEMS)
    async def approve(move_id: UUID, principal: Approver, key: IdempotencyKey) -> Response:
        """Make a move that somebody else has asked for. What cannot be moved any more is refused with 409."""
        refuse_partners(principal, _WHAT)

        async def work(transaction: Transaction) -> Decided:
            try:
                return _answer(await approve_move(transaction, move_id, principal.client_id, rules))
            except ReceiptNotMovableError as error:
                raise _not_moved(error) from error

        return await idempotent(database, principal, key, None, work)

    @router.post("/refuse", response_model=ReceiptMoveAnswer, responses=_WRITE_PROBLEMS)
    async def refuse(move_id: UUID, principal: Approver, key: IdempotencyKey) -> Response:
        """Let nothing come of a move that waits."""
        refuse_partners(principal, _WHAT)

        async def work(transaction: Transaction) -> Answer:
            return Answer(200, ReceiptMoveAnswer.of(await refuse_move(transaction, move_id, principal.client_id)))

        return await idempotent(database, principal, key, None, work)

    return router


def _reading(database: Database) -> APIRouter:
    router = APIRouter(prefix="/v1/receipt-moves", tags=["receipts"])

    @router.get("", responses=problems(400, 401, 403, 404, 422))
    async def list_moves(
        principal: Reader,
        paging: Paging,
        state: MoveState | None = None,
        member_id: UUID | None = None,
        receipt_id: OfReceipt = None,
    ) -> Page[ReceiptMoveAnswer]:
        """Moves, the newest first. ``member_id``: those from and to it, and from and to whoever was merged into it."""
        refuse_partners(principal, _WHAT)
        wanted = MoveFilter(state, member_id, None if receipt_id is None else _natural_key(receipt_id))
        async with database.transaction() as transaction:
            found = await receipt_moves.load_page(transaction, wanted, paging.position(_POSITION), paging.limit + 1)
        shown = [ReceiptMoveAnswer.of(each) for each in found[: paging.limit]]
        position = [shown[-1].created_at, shown[-1].move_id] if shown else []
        return Page.of(found, paging.limit, shown, position)

    @router.get("/{move_id}", responses=problems(401, 403, 404, 422))
    async def read(move_id: UUID, principal: Reader) -> ReceiptMoveAnswer:
        """One move: who asked for it, who approved it, and what it moved."""
        refuse_partners(principal, _WHAT)
        async with database.transaction() as transaction:
            found = await receipt_moves.find(transaction, move_id)
        if found is None:
            raise not_found("move")
        return ReceiptMoveAnswer.of(found)

    return router


def _natural_key(receipt_id: str) -> bytes:
    try:
        natural_key = natural_key_of(receipt_id)
        partner_of(natural_key)
    except MalformedReceiptIdError as error:
        raise not_found("receipt") from error
    return natural_key


def _answer(move: ReceiptMove, status: int = 200) -> Decided:
    if move.refusal is None:
        return Answer(status, ReceiptMoveAnswer.of(move))
    words = _WORDS.get(move.refusal, "it was not approved")
    return ProblemAnswer(Problem(409, _slug(move.refusal), f"Move {move.move_id} is refused: {words}."))


def _not_moved(error: ReceiptNotMovableError) -> Problem:
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)} if error.refusal in _PASSING else {}
    return Problem(409, _slug(error.refusal), f"Nothing was moved: {_WORDS[error.refusal]}.", headers=headers)


def _slug(refusal: MoveRefusal) -> str:
    return refusal.replace("_", "-")
