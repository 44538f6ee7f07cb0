"""``/v1/unlinked-returns``: returns that name no purchase, and what people make of those that wait."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import TypeAdapter

from services.accrual.domain.unlinked_cases import (
    CaseDecidedError,
    CaseNotFoundError,
    CaseState,
    NotLinkableError,
    OwnProposalError,
    Proposal,
    ProposalWaitsError,
    UnlinkedCase,
)
from services.accrual.repository import unlinked_returns
from services.accrual.schemas.unlinked_returns import (
    DismissalBody,
    LinkBody,
    UnlinkedReturnAnswer,
    UnlinkedReturnDocument,
)
from services.accrual.use_cases.link_returns import approve, propose, refuse
from shared.database import Database, Transaction
from shared.events.catalogue import PURCHASES
from shared.receipt_key import MalformedReceiptIdError, natural_key_of, partner_of
from shared.web import (
    Answer,
    CodeText,
    IdempotencyKey,
    KeyedRequest,
    Page,
    Paging,
    Principal,
    idempotent,
    not_found,
    problems,
    refuse_partners,
    requires,
)
from shared.web.refusals import DomainProblems

Writer = Annotated[Principal, requires("unlinked-returns:write")]
Approver = Annotated[Principal, requires("unlinked-returns:approve")]
Reader = Annotated[Principal, requires("unlinked-returns:read")]
_WHAT = "Unlinked returns are looked at"
OfPartner = CodeText | None

_POSITION = TypeAdapter(tuple[datetime, str])
_WRITE_PROBLEMS = problems(400, 401, 403, 404, 409, 413, 415, 422)
_NOT_TOLD = {"content_hash", "identifier_hash", "operator_hash"}
UNLINKED_RETURN_PROBLEMS: DomainProblems = {
    CaseDecidedError: (409, "return-decided", "Return decided"),
    CaseNotFoundError: (404, "not-found", "Not found"),
    NotLinkableError: (422, "not-linkable", "Not linkable"),
    OwnProposalError: (403, "own-proposal", "Own proposal"),
    ProposalWaitsError: (409, "proposal-waits", "Proposal waits"),
}


def unlinked_returns_routers(database: Database) -> tuple[APIRouter, ...]:
    """See returns that name no purchase, propose what becomes of one that waits, and have a second look."""
    return _proposals(database), _decisions(database), _reading(database)


def _proposals(database: Database) -> APIRouter:
    router = APIRouter(prefix="/v1/unlinked-returns/{receipt_id}", tags=["returns"])

    async def keep(
        receipt_id: str, body: LinkBody | DismissalBody, principal: Principal, key: KeyedRequest
    ) -> Response:
        refuse_partners(principal, _WHAT)
        natural_key = _natural_key(receipt_id, "return")

        async def work(transaction: Transaction) -> Answer:
            proposed = _proposed(natural_key, body, principal, transaction.now)
            return Answer(200, UnlinkedReturnAnswer.of(await propose(transaction, proposed)))

        return await idempotent(database, principal, key, body, work)

    @router.post("/link", response_model=UnlinkedReturnAnswer, responses=_WRITE_PROBLEMS)
    async def link(receipt_id: str, body: LinkBody, principal: Writer, key: IdempotencyKey) -> Response:
        """Say which purchase a return is of. Once a second person has approved it, it goes on as a return of that one.

        What was paid with points is not given back by it: whoever is entitled to that asks redemption for the refund.
        """
        return await keep(receipt_id, body, principal, key)

    @router.post("/dismiss", response_model=UnlinkedReturnAnswer, responses=_WRITE_PROBLEMS)
    async def dismiss(receipt_id: str, body: DismissalBody, principal: Writer, key: IdempotencyKey) -> Response:
        """Say that a return takes nothing. Once a second person has approved it, that is final."""
        return await keep(receipt_id, body, principal, key)

    return router


def _decisions(database: Database) -> APIRouter:
    router = APIRouter(prefix="/v1/unlinked-returns/{receipt_id}", tags=["returns"])

    @router.post("/approve", response_model=UnlinkedReturnAnswer, responses=_WRITE_PROBLEMS)
    async def approve_proposal(receipt_id: str, principal: Approver, key: IdempotencyKey) -> Response:
        """Do what somebody else has proposed."""
        refuse_partners(principal, _WHAT)
        natural_key = _natural_key(receipt_id, "return")

        async def work(transaction: Transaction) -> Answer:
            done = await approve(transaction, natural_key, principal.client_id)
            return Answer(200, UnlinkedReturnAnswer.of(done))

        return await idempotent(database, principal, key, None, work)

    @router.post("/refuse", response_model=UnlinkedReturnAnswer, responses=_WRITE_PROBLEMS)
    async def refuse_proposal(receipt_id: str, principal: Approver, key: IdempotencyKey) -> Response:
        """Let nothing come of what is proposed; the return goes on waiting."""
        refuse_partners(principal, _WHAT)
        natural_key = _natural_key(receipt_id, "return")

        async def work(transaction: Transaction) -> Answer:
            return Answer(200, UnlinkedReturnAnswer.of(await refuse(transaction, natural_key)))

        return await idempotent(database, principal, key, None, work)

    return router


def _reading(database: Database) -> APIRouter:
    router = APIRouter(prefix="/v1/unlinked-returns", tags=["returns"])

    @router.get("", responses=problems(400, 401, 403, 404, 422))
    async def list_returns(
        principal: Reader, paging: Paging, state: CaseState = "waiting", partner_id: OfPartner = None
    ) -> Page[UnlinkedReturnAnswer]:
        """Returns that name no purchase, of one state, the oldest first."""
        refuse_partners(principal, _WHAT)
        position = paging.position(_POSITION)
        after = None if position is None else (position[0], _natural_key(position[1], "return"))
        async with database.transaction() as transaction:
            found = await unlinked_returns.load_page(transaction, state, partner_id, after, paging.limit + 1)
        shown = [UnlinkedReturnAnswer.of(each) for each in found[: paging.limit]]
        last = [shown[-1].came_at, shown[-1].receipt_id] if shown else []
        return Page.of(found, paging.limit, shown, last)

    @router.get("/{receipt_id}", responses=problems(401, 403, 404, 422))
    async def read(receipt_id: str, principal: Reader) -> UnlinkedReturnDocument:
        """One of them with its document, by which its purchase may be found."""
        refuse_partners(principal, _WHAT)
        async with database.transaction() as transaction:
            found = await unlinked_returns.find(transaction, _natural_key(receipt_id, "return"))
        if found is None:
            raise not_found("unlinked return")
        return UnlinkedReturnDocument.with_document(found, document_of(found))

    return router


def document_of(case: UnlinkedCase) -> dict[str, Any] | None:
    """The till's document, without what leads to a person or tells nobody anything."""
    if case.event is None:
        return None
    return PURCHASES.read(case.event).data.model_dump(mode="json", exclude=_NOT_TOLD, exclude_none=True)


def _proposed(natural_key: bytes, body: LinkBody | DismissalBody, principal: Principal, now: datetime) -> UnlinkedCase:
    proposal: Proposal = "link" if isinstance(body, LinkBody) else "dismiss"
    original_key: bytes | None = None
    lines: Mapping[int, int] = {}
    if isinstance(body, LinkBody):
        original_key = _natural_key(body.original_receipt_id, "purchase")
        lines = {line.line_id: line.original_line_id for line in body.lines}
    return UnlinkedCase(
        natural_key=natural_key,
        partner_id=partner_of(natural_key),
        owner_id=None,
        occurred_at=now,
        came_at=now,
        state="waiting",
        proposal=proposal,
        original_key=original_key,
        lines=lines,
        reason_code=body.reason_code,
        proposed_by=principal.client_id,
        proposed_at=now,
    )


def _natural_key(receipt_id: str, what: str) -> bytes:
    try:
        natural_key = natural_key_of(receipt_id)
        partner_of(natural_key)
    except MalformedReceiptIdError as error:
        raise not_found(what) from error
    return natural_key
