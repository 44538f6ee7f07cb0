"""What is told of contracts, under the partner's key."""

from decimal import Decimal

from services.coalition.domain.contracts import Contract, Rate
from services.coalition.use_cases.announcements import SOURCE
from shared.database import Transaction
from shared.events.catalogue import COALITION
from shared.events.contracts import ContractData, ContractPublished, ExclusivityData, RateData
from shared.ids import new_id
from shared.outbox import Message
from shared.telemetry.trace_context import child_traceparent, current_traceparent


def contract_published(transaction: Transaction, contract: Contract) -> Message:
    """An approved contract as it is now."""
    terms, funding = contract.terms, contract.terms.funding
    event = ContractPublished(
        id=new_id(),
        source=SOURCE,
        subject=str(contract.contract_id),
        time=transaction.now,
        traceparent=child_traceparent(current_traceparent()),
        data=ContractData(
            contract_id=contract.contract_id,
            version=contract.version,
            partner_id=contract.partner_id,
            number=contract.number,
            effective_from=terms.effective_from,
            effective_until=terms.effective_until,
            currency=terms.currency,
            rates=tuple(_rate(rate) for rate in terms.rates),
            funding=funding.kind,
            amount_minor=funding.amount_minor,
            alert_percents=funding.alert_percents,
            when_exhausted=funding.when_exhausted,
            reserve_minor=funding.reserve_minor,
            exclusivities=tuple(
                ExclusivityData(category=each.category, territory=each.territory) for each in terms.exclusivities
            ),
        ),
    )
    return Message.of(event, COALITION.topic, contract.partner_id)


def _rate(rate: Rate) -> RateData:
    return RateData(
        point_type=rate.point_type,
        issue_price=price_text(rate.issue_price),
        redemption_price=price_text(rate.redemption_price),
        vat_percent=f"{rate.vat_percent:.2f}",
        settle_on=rate.settle_on,
        minimum_points=rate.minimum_points,
        step_points=rate.step_points,
    )


def price_text(price: Decimal) -> str:
    """A price as it is told: always six places, which it never has more of."""
    return f"{price:.6f}"
