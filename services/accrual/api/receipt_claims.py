"""``/v1/receipts/{receipt_id}:claim``: whoever bought without a card gets the points later, once."""

from typing import Annotated

from fastapi import APIRouter, Response

from services.accrual.domain.receipt_claims import (
    ClaimantNotReadyError,
    ClaimedTooLateError,
    ClaimTerms,
    NoSuchReceiptError,
    Proof,
    ReceiptClaimedError,
    ReceiptNotClaimableError,
    TooManyProofsError,
)
from services.accrual.programme import Programme
from services.accrual.schemas.receipt_claims import ReceiptClaimAnswer, ReceiptClaimBody
from services.accrual.use_cases.claim_receipt import claim_receipt
from shared.database import Database, Transaction
from shared.receipt_key import MalformedReceiptIdError, natural_key_of, partner_of
from shared.web import (
    Answer,
    IdempotencyKey,
    Principal,
    Problem,
    ProblemAnswer,
    idempotent,
    not_found,
    problems,
    requires,
)
from shared.web.answers import Decided
from shared.web.refusals import DomainProblems

RECEIPT_CLAIM_PROBLEMS: DomainProblems = {
    ClaimantNotReadyError: (409, "member-not-ready", "Member not ready"),
    ClaimedTooLateError: (409, "claimed-too-late", "Claimed too late"),
    NoSuchReceiptError: (404, "not-found", "Not found"),
    ReceiptClaimedError: (409, "receipt-claimed", "Receipt claimed"),
    ReceiptNotClaimableError: (409, "receipt-not-claimable", "Receipt not claimable"),
    TooManyProofsError: (409, "too-many-proofs", "Too many proofs"),
}


def receipt_claims_router(database: Database, programme: Programme, terms: ClaimTerms) -> APIRouter:
    """The route, on this process's database."""
    router = APIRouter(prefix="/v1", tags=["receipts"])

    @router.post(
        "/receipts/{receipt_id}:claim",
        status_code=202,
        response_model=ReceiptClaimAnswer,
        responses=problems(400, 401, 403, 404, 409, 413, 415, 422),
    )
    async def claim(
        receipt_id: str,
        body: ReceiptClaimBody,
        principal: Annotated[Principal, requires("receipts:claim")],
        key: IdempotencyKey,
    ) -> Response:
        """Give a receipt that came without a card to a member. For the programme's clients: support, the member's app.

        Total and day prove that somebody holds the paper; who is wrong five times about one receipt ends it for all.
        It is decided like any receipt then, by the rules of its own time, and its points are pending until fraud has
        looked at it. Claimed again for the same member it is answered as it stands, under whatever Idempotency-Key.
        """
        if principal.partner_id is not None:
            raise not_found("receipt")
        try:
            natural_key = natural_key_of(receipt_id)
            partner_of(natural_key)
        except MalformedReceiptIdError as error:
            raise not_found("receipt") from error
        proof = Proof(body.total_minor, body.bought_on)

        async def work(transaction: Transaction) -> Decided:
            claimed = await claim_receipt(
                transaction, natural_key, body.member_id, proof, principal.client_id, programme, terms
            )
            if claimed is None:  # the count of wrong ones is kept
                detail = "Total or day are not those of the receipt: look at the paper again."
                return ProblemAnswer(Problem(422, "proof-mismatch", detail, title="Proof mismatch"))
            return Answer(202, ReceiptClaimAnswer.of(claimed))

        return await idempotent(database, principal, key, body, work)

    return router
