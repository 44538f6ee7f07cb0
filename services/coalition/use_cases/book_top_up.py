"""Book a partner's payment: into its prepaid block, or against what it owes."""

from services.coalition.domain.audit import Act, facts_of
from services.coalition.domain.errors import CurrencyDiffersError, DocumentTakenError, PartnerNotFoundError
from services.coalition.domain.exposure import Judged
from services.coalition.domain.top_ups import Paid, TopUp
from services.coalition.repository import contracts as contract_rows
from services.coalition.repository import exposure as rows
from services.coalition.repository import partners, top_ups
from services.coalition.use_cases.judge_exposure import by_partner, judge_exposures
from services.coalition.use_cases.record_acts import record_acts
from shared.database import Transaction


async def book_top_up(transaction: Transaction, top_up: TopUp) -> tuple[TopUp, list[Judged]]:
    """Book one payment; as it stands, and what it changed, come back.

    Idempotent for ever by partner and document number: the same payment again changes nothing and answers with the one
    that was booked. Holds the partner's row and its exposure to the commit.

    Raises:
        PartnerNotFoundError: there is no such partner.
        CurrencyDiffersError: the partner's contracts or payments are in another currency.
        DocumentTakenError: the document booked another amount.
    """
    partner_id = top_up.partner_id
    if not await partners.lock_partner(transaction, partner_id):
        raise PartnerNotFoundError("there is no such partner")
    contracts = await contract_rows.load_approved(transaction, [partner_id])
    paid = (await top_ups.load_paid(transaction, [partner_id])).get(partner_id, Paid())
    currency = contracts[0].terms.currency if contracts else paid.currency
    if currency not in (None, top_up.currency):
        raise CurrencyDiffersError(f"the partner's contracts and payments are in {currency}: book it in that")
    if not await top_ups.insert_top_up(transaction, top_up):
        return await _booked_before(transaction, top_up), []
    [exposure] = await rows.lock_exposures(transaction, [partner_id])
    subject = f"{partner_id}/{top_up.document_number}"
    act = Act(top_up.booked_by, "top_up.booked", subject, partner_id, after=facts_of(top_up))
    await record_acts(transaction, [act])
    return top_up, await judge_exposures(transaction, [exposure], by_partner(contracts))


async def _booked_before(transaction: Transaction, top_up: TopUp) -> TopUp:
    booked = await top_ups.find_top_up(transaction, top_up.partner_id, top_up.document_number)
    if booked is None or not booked.is_same_payment(top_up):
        raise DocumentTakenError(
            f"document {top_up.document_number} booked another amount before: a correction is a document of its own"
        )
    return booked
