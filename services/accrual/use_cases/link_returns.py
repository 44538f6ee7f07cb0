"""What people make of a return that names no purchase: it is linked to one, or dismissed, once a second has looked."""

from dataclasses import replace
from typing import cast

from services.accrual.domain.unlinked_cases import (
    CaseDecidedError,
    CaseNotFoundError,
    NotLinkableError,
    OwnProposalError,
    ProposalWaitsError,
    UnlinkedCase,
    require_lines_of,
)
from services.accrual.domain.unlinked_cases import linked as with_purchase
from services.accrual.repository import claims, decided_documents, decided_returns, outcomes, unlinked_returns
from services.accrual.repository.claims import Claim
from services.accrual.use_cases.load_exchanges import goods_of
from services.accrual.use_cases.messages import purchase_message
from shared import outbox
from shared.database import Transaction
from shared.events.catalogue import PURCHASES
from shared.events.purchases import ReturnRecorded
from shared.receipt_key import partner_of


async def propose(transaction: Transaction, proposed: UnlinkedCase) -> UnlinkedCase:
    """Keep what one person proposes for a return that waits; nothing moves before a second one has looked.

    ``proposed`` names the return and holds the proposal. The purchase that it names must be able to take the goods
    back as it stands now. Idempotent: the same proposal again is answered as it stands.

    Raises:
        CaseNotFoundError, CaseDecidedError, ProposalWaitsError, NotLinkableError: nothing was changed.
    """
    named = [key for key in (proposed.natural_key, proposed.original_key) if key is not None]
    known = await claims.name(transaction, named)
    case = await _waiting(transaction, proposed.natural_key, known.get(proposed.natural_key))
    if case.proposal is not None:
        if not case.proposes_the_same(proposed):
            raise ProposalWaitsError("something else is proposed for it: approve or refuse that first")
        return case
    if proposed.original_key is not None:
        await _require_purchase(transaction, case, proposed, known.get(proposed.original_key))
    kept = replace(
        case,
        proposal=proposed.proposal,
        original_key=proposed.original_key,
        lines=proposed.lines,
        reason_code=proposed.reason_code,
        proposed_by=proposed.proposed_by,
        proposed_at=transaction.now,
    )
    await unlinked_returns.change(transaction, kept)
    return kept


async def approve(transaction: Transaction, natural_key: bytes, approver: str) -> UnlinkedCase:
    """Do what somebody else has proposed.

    A return that is dismissed takes nothing, for ever. One that is linked is published again, through the outbox, and
    goes on as a return of that purchase: by its rules, from its lots, and refused where it cannot be any more.
    Idempotent: what this person has approved before is answered as it stands.

    Raises:
        CaseNotFoundError, CaseDecidedError, OwnProposalError: nothing was changed.
    """
    claim = (await claims.name(transaction, [natural_key])).get(natural_key)
    decided = await unlinked_returns.find(transaction, natural_key)
    if decided is not None and decided.state in ("linked", "dismissed") and decided.decided_by == approver:
        return decided
    case = await _waiting(transaction, natural_key, claim)
    if case.proposal is None:
        raise CaseDecidedError("nothing is proposed for it: link it to its purchase, or dismiss it")
    if case.proposed_by == approver:
        raise OwnProposalError("who proposed it may not approve it: ask a second person")
    done = case.decided(approver, transaction.now)
    await unlinked_returns.change(transaction, done)
    await unlinked_returns.wait_no_more(transaction, natural_key)
    if done.state == "dismissed":
        await claims.settle(transaction, [natural_key], ["awarded"], [done.owner_id])
    else:
        await outbox.record(transaction, [purchase_message(_event(done))])
    return done


async def refuse(transaction: Transaction, natural_key: bytes) -> UnlinkedCase:
    """Let nothing come of what is proposed; who proposed it may take it back so, too. The return goes on waiting.

    Raises:
        CaseNotFoundError, CaseDecidedError: nothing was changed.
    """
    claim = (await claims.name(transaction, [natural_key])).get(natural_key)
    case = await _waiting(transaction, natural_key, claim)
    if case.proposal is not None:
        case = case.without_proposal()
        await unlinked_returns.change(transaction, case)
    return case


async def _waiting(transaction: Transaction, natural_key: bytes, claim: Claim | None) -> UnlinkedCase:
    case = await unlinked_returns.find(transaction, natural_key)
    if case is None or claim is None:
        raise CaseNotFoundError("there is no such unlinked return")
    if case.state != "waiting" or claim.state != "parked":
        state = claim.state if case.state == "waiting" else case.state
        raise CaseDecidedError(f"the return is {state.replace('_', ' ')} already")
    return case


async def _require_purchase(
    transaction: Transaction, case: UnlinkedCase, proposed: UnlinkedCase, claim: Claim | None
) -> None:
    """Nothing, where the goods may come back of the purchase that is named, as it stands now.

    Raises:
        NotLinkableError: they may not.
    """
    key = cast("bytes", proposed.original_key)
    if partner_of(key) != case.partner_id:
        raise NotLinkableError("it is another partner's purchase")
    award = await outcomes.find_award(transaction, key)
    if claim is None or claim.state != "awarded" or award is None:
        raise NotLinkableError("it is no purchase that was awarded")
    if award.voided_by is not None:
        raise NotLinkableError("the purchase was voided")
    document = (await decided_documents.load(transaction, [key])).get(key)
    goods = goods_of(document) if document is not None else None
    if goods is None:
        raise NotLinkableError("the purchase is older than what is kept")
    event = _event(case)
    unknown = proposed.lines.keys() - {line.line_id for line in event.data.lines}
    if unknown:
        raise NotLinkableError(f"the return has no line {min(unknown)}")
    returned = (await decided_returns.load_returned(transaction, [key])).get(key, {})
    require_lines_of(goods, returned, with_purchase(event, key, proposed.lines).data.lines)


def _event(case: UnlinkedCase) -> ReturnRecorded:
    """The document as it came, without the hash of a card: whose purchase it was says whose points they are."""
    event = None if case.event is None else PURCHASES.read(case.event)
    if not isinstance(event, ReturnRecorded):
        raise TypeError("an unlinked return that waits is kept with its document")
    return event
