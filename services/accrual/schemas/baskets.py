"""What HTTP says of baskets: goods that are about to be bought, before there is a receipt of them."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from services.accrual.schemas.documents import COUPONS_MAX, LINES_MAX, IdentifierBody, LineBody, ReceiptBody, ShortText
from services.accrual.schemas.fields import Answer
from services.accrual.schemas.previews import PreviewPartAnswer
from shared.receipt_key import DocumentKey
from shared.web.strict import Body, CodeText

# A basket has no number yet. Nothing is kept under this key, and no till's scheme is compared with it.
NO_KEY = DocumentKey(scheme="document", source="basket", number="0")


class BasketBody(Body):
    """Goods that a till has scanned, and whom it has read. Lines are those of the receipt that they will be on."""

    partner_id: CodeText | None = None
    store_id: CodeText | None = None
    till_id: CodeText | None = None
    identifier: IdentifierBody | None = None
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    lines: Annotated[tuple[LineBody, ...], Field(min_length=1, max_length=LINES_MAX)]
    channel: ShortText | None = None
    coupons: Annotated[tuple[ShortText, ...], Field(max_length=COUPONS_MAX)] | None = None

    def as_purchase(self, now: datetime) -> ReceiptBody:
        """The receipt that it would be if it were paid now, with money alone."""
        return ReceiptBody(
            partner_id=self.partner_id,
            store_id=self.store_id,
            till_id=self.till_id,
            key=NO_KEY,
            occurred_at=now,
            identifier=self.identifier,
            currency=self.currency,
            total_minor=sum(line.amount_minor for line in self.lines),
            lines=self.lines,
            channel=self.channel,
            coupons=self.coupons,
        )


class BasketAnswer(Answer):
    """What the basket would earn if it were paid now, as ``POST /v1/receipts:preview`` says it, without the trace."""

    status: Literal["awarded", "refused", "parked"]
    reason: str | None = None
    points: int | None = None
    point_type: str | None = None
    parts: list[PreviewPartAnswer] | None = None
    rule_set_version: int | None = None
