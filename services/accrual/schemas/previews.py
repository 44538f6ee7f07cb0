"""What HTTP says of previews."""

from datetime import date
from typing import Literal

from services.accrual.schemas.fields import Answer
from services.accrual.schemas.receipts import OutcomeAnswer, ReturnPartAnswer
from shared.ledger import ClawBackPolicy


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


class PreviewLineAnswer(Answer):
    """What a line of a return would take, in addition to the lines before it: of the programme's own points."""

    line_id: int
    original_line_id: int
    points: int


class PreviewReturnAnswer(Answer):
    """What a return, an exchange or a void would take back, as ``returned`` of the receipt would say it.

    ``policy`` is the purchase's, about what is not there any more: it is owed (``debt``: so many of the points would
    become debt), left to its issuer (``clip``: so many besides would be ``clipped``), or the document would be refused
    (``refuse``). ``lines`` add up to ``points``, ``clipped`` and ``withheld``; they are left out where they would take
    too long.
    """

    cause: Literal["return", "void", "exchange"]
    policy: ClawBackPolicy
    original_receipt_id: str
    points: int
    became_debt: int
    clipped: int
    withheld: int | None = None
    given_back: int | None = None
    parts: list[ReturnPartAnswer] | None = None
    lines: list[PreviewLineAnswer] | None = None


class PreviewUnlinkedAnswer(Answer):
    """What the rules would make of a return that names no purchase, as ``unlinked`` of the receipt would say it."""

    state: Literal["ignored", "taken_back"]
    policy: ClawBackPolicy
    rule_set_version: int
    points: int
    became_debt: int
    clipped: int


class PreviewAnswer(Answer):
    """What would become of a receipt if it were posted now. Nothing was recorded.

    ``parked``: it would wait, for what ``reason`` says, as it does with a card that nobody knows. ``refused``: it would
    earn nothing, for good, or take nothing back. ``points`` are the programme's own; ``parts`` are all that it would
    earn, by type and terms. A document that undoes something is ``awarded`` like the receipt of it, and has
    ``returned``, or ``unlinked``. An exchange has both; one whose new goods would earn nothing says the ``reason``.
    """

    status: Literal["awarded", "refused", "parked"]
    reason: str | None = None
    detail: str | None = None
    points: int | None = None
    point_type: str | None = None
    parts: list[PreviewPartAnswer] | None = None
    returned: PreviewReturnAnswer | None = None
    unlinked: PreviewUnlinkedAnswer | None = None
    rule_set_version: int | None = None
    mapping_version: int | None = None
    trace: list[OutcomeAnswer] | None = None
    trace_in_words: list[str] | None = None
