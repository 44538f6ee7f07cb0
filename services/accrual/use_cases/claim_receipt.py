"""Claims a receipt that came without a card for a member: once, and decided like any other then."""

from datetime import timedelta
from uuid import UUID

from services.accrual.domain.purchase_event import with_member
from services.accrual.domain.receipt_claims import (
    CLAIMED,
    PROOF_ATTEMPTS_MAX,
    ClaimantNotReadyError,
    ClaimTerms,
    NoSuchReceiptError,
    Proof,
    ReceiptClaim,
    ReceiptClaimedError,
    ReceiptNotClaimableError,
    TooManyProofsError,
    require_in_time,
)
from services.accrual.domain.standing import STANDINGS, Earns
from services.accrual.programme import Programme
from services.accrual.repository import claims, fraud_holds, places, receipt_claims
from services.accrual.repository.fraud_holds import WAITING_VERSION, FraudHold
from services.accrual.use_cases.lock_owners import lock_owners
from services.accrual.use_cases.messages import purchase_message
from shared import outbox
from shared.database import Transaction
from shared.events.catalogue import PURCHASES
from shared.events.purchases import PurchaseEvent, PurchaseRecorded


async def claim_receipt(
    transaction: Transaction,
    natural_key: bytes,
    member_id: UUID,
    proof: Proof,
    claimed_by: str,
    programme: Programme,
    terms: ClaimTerms,
) -> ReceiptClaim | None:
    """Give a receipt without a card to a member; None where the proof does not fit, which is counted.

    The receipt is published again under the member, through the outbox, and decided when it comes back: by the rules,
    the partner's standing and the funds of its own time. What it earns is pending until fraud, which sees it under the
    member, has cleared it, or for so long at most; fraud may hold it longer. Idempotent: claimed for the same member
    before, it is answered as it stands.

    Everybody meets in the receipt's claim: a till that sends the document again, with a card or without, another
    claimant, a return. Holds the claim, then the member, to the commit.

    Raises:
        NoSuchReceiptError, ReceiptNotClaimableError, ReceiptClaimedError, ClaimedTooLateError, TooManyProofsError,
        ClaimantNotReadyError: nothing was changed.
        StartAgainError: the member was merged away while we waited for its row.
    """
    claim = (await claims.name(transaction, [natural_key])).get(natural_key)
    if claim is None or claim.content_hash is None:  # what was only laid down here is rolled back
        raise NoSuchReceiptError("no such receipt has come")
    known = await receipt_claims.find(transaction, natural_key)
    if known is not None:
        if known.member_id != member_id:
            raise ReceiptClaimedError("the receipt was claimed for another member")
        return known
    purchase = await _purchase_without_card(transaction, natural_key, claim.state)
    if await receipt_claims.count_wrong_proofs(transaction, natural_key) >= PROOF_ATTEMPTS_MAX:
        raise TooManyProofsError("too many were wrong about this receipt: it is for support to look at the paper")
    require_in_time(purchase.data, transaction.now, terms.window)
    place = purchase.data.partner_id, purchase.data.store_id
    store = (await places.load_stores(transaction, [place])).get(place)
    if not proof.fits(purchase.data, programme.zone if store is None or store.zone is None else store.zone):
        await receipt_claims.add_wrong_proof(transaction, natural_key)
        return None
    status = (await lock_owners(transaction, [member_id]))[member_id].status
    if status is None or not isinstance(STANDINGS[status], Earns):
        raise ClaimantNotReadyError("the member is not known here yet, or cannot earn")
    claimed = ReceiptClaim(natural_key, member_id, claimed_by, transaction.now)
    await receipt_claims.take_without_card(transaction, natural_key)
    await receipt_claims.insert(transaction, claimed)
    if terms.fraud_wait:
        await fraud_holds.save(transaction, [waiting_for_fraud(claimed, terms.fraud_wait)])
    await outbox.record(transaction, [purchase_message(claimed_by_member(purchase, claimed))])
    return claimed


def claimed_by_member(purchase: PurchaseRecorded, claimed: ReceiptClaim) -> PurchaseEvent:
    """The event of the same document under its member, from which fraud sees that it was claimed."""
    named = with_member(purchase, claimed.member_id)
    return named.model_copy(update={"data": named.data.model_copy(update={"claimed_at": claimed.claimed_at})})


def waiting_for_fraud(claimed: ReceiptClaim, wait: timedelta) -> FraudHold:
    """A hold until fraud has looked at the claim, older than whatever fraud says: the award goes to pending."""
    ends_at = claimed.claimed_at + wait
    return FraudHold(claimed.natural_key, claimed.member_id, WAITING_VERSION, "hold", CLAIMED, ends_at)


async def _purchase_without_card(transaction: Transaction, natural_key: bytes, state: str) -> PurchaseRecorded:
    if state in ("awarded", "refused"):
        raise ReceiptNotClaimableError(f"the receipt is {state} already")
    body = await receipt_claims.find_without_card(transaction, natural_key)
    event = None if body is None else PURCHASES.read(body)
    if not isinstance(event, PurchaseRecorded):
        raise ReceiptNotClaimableError("the receipt names somebody, or is no purchase that waits to be claimed")
    return event
