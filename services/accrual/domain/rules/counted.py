"""What of a receipt earns at all: what is excluded, and what the amounts of lines are taken to be."""

from functools import cached_property
from typing import Annotated, Literal

from pydantic import Field

from services.accrual.domain.rules.values import CodeText, Frozen
from shared.events.purchases import TenderKind


class Exclusions(Frozen):
    """What never earns: parts paid by these tenders (in proportion), and lines of these categories."""

    tenders: tuple[TenderKind, ...] = ("points",)
    categories: tuple[CodeText, ...] = ()

    @cached_property
    def never(self) -> frozenset[str]:
        """These categories, to be asked of every receipt."""
        return frozenset(self.categories)


class Counted(Frozen):
    """What a line's amount is taken to be, as far as its till says it.

    ``tax``: as paid, or without the tax that the line names. ``discounts``: as paid, or with the discount that the line
    names put back. ``left_out``: lines of these kinds earn nothing; a line that names no kind is goods.
    ``prepayments``: what is paid ahead for goods earns when they are handed over, or when it is paid; then the receipt
    of the handover names those in which it was, and what it was paid ahead without naming one earns nothing.
    """

    tax: Literal["included", "left_out"] = "included"
    discounts: Literal["left_out", "included"] = "left_out"
    left_out: Annotated[tuple[Literal["delivery", "deposit"], ...], Field(max_length=2)] = ()
    prepayments: Literal["at_handover", "at_payment"] = "at_handover"

    @cached_property
    def is_as_paid(self) -> bool:
        """Whether every line counts as what was paid for it, which is what most programmes want."""
        is_as_paid = self.tax == "included" and self.discounts == "left_out" and not self.left_out
        return is_as_paid and self.prepayments == "at_handover"


AS_PAID = Counted()
