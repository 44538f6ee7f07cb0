"""What HTTP says of previews."""

from datetime import date
from typing import Literal

from services.accrual.schemas.fields import Answer
from services.accrual.schemas.receipts import OutcomeAnswer


class PreviewPartAnswer(Answer):
    """Points of one type on one set of terms.

    They may be spent at once, or from ``waits_until`` on, or once ``waits_for`` has come before that day.
    ``expires_on`` is the first day on which they no longer may; absent: never, or their release will say. ``paid_by``
    are their payers, where others pay than the partner; ``usable`` says on what they may be spent alone.
    """

    point_type: str
    points: int
    waits_until: date | None = None
    waits_for: str | None = None
    expires_on: date | None = None
    paid_by: list[str] | None = None
    usable: str | None = None


class PreviewAnswer(Answer):
    """What a receipt would earn if it were posted now. Nothing was recorded.

    ``parked``: it would wait, for what ``reason`` says, as it does with a card that nobody knows. ``refused``: it would
    earn nothing, for good. ``points`` are the programme's own; ``parts`` are all that it would earn, by type and terms.
    """

    status: Literal["awarded", "refused", "parked"]
    reason: str | None = None
    detail: str | None = None
    points: int | None = None
    point_type: str | None = None
    parts: list[PreviewPartAnswer] | None = None
    rule_set_version: int | None = None
    mapping_version: int | None = None
    trace: list[OutcomeAnswer] | None = None
    trace_in_words: list[str] | None = None
