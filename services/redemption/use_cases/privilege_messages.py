"""What redemption tells of uses of privileges."""

from services.redemption.domain.privileges.terms import PrivilegeTerms, Service
from services.redemption.domain.privileges.usage import KeptUse
from services.redemption.use_cases.messages import envelope
from shared.database import Transaction
from shared.events.catalogue import REDEMPTIONS
from shared.events.funding import PayerWeight
from shared.events.redemptions import PrivilegeUndone, PrivilegeUsed, PrivilegeUseData
from shared.outbox import Message
from shared.receipt_key import receipt_id_of


def use_message(
    transaction: Transaction, kept: KeptUse, terms: PrivilegeTerms | None, traceparent: str | None, *, is_undoing: bool
) -> Message:
    """A use as it stands now: given, or undone to another amount. Keyed by member, else by receipt."""
    receipt_id = receipt_id_of(kept.use.receipt_key)
    event = (PrivilegeUndone if is_undoing else PrivilegeUsed)(
        **envelope(transaction, receipt_id, traceparent), data=_told(kept, terms, receipt_id)
    )
    return Message.of(event, REDEMPTIONS.topic, str(kept.use.member_id or receipt_id))


def _told(kept: KeptUse, terms: PrivilegeTerms | None, receipt_id: str) -> PrivilegeUseData:
    use = kept.use
    return PrivilegeUseData(
        privilege_id=use.privilege_id,
        receipt_id=receipt_id,
        version=kept.version,
        member_id=use.member_id,
        partner_id=use.partner_id,
        store_id=use.store_id,
        occurred_at=use.occurred_at,
        currency=use.currency,
        benefit=None if terms is None else terms.benefit.kind,
        amount_minor=use.amount_minor,
        undone_minor=kept.undone_minor,
        is_undone=kept.is_undone,
        cost_minor=_cost_minor(kept, terms),
        payers=() if terms is None else tuple(PayerWeight(payer=one.payer, weight=one.weight) for one in terms.payers),
        objection=kept.objection,
    )


def _cost_minor(kept: KeptUse, terms: PrivilegeTerms | None) -> int:
    """What all that is left costs: of a service what its terms say of a use, of a discount what it took off."""
    if terms is not None and isinstance(terms.benefit, Service):
        return 0 if kept.is_undone else terms.benefit.cost_minor
    return kept.use.amount_minor - kept.undone_minor
