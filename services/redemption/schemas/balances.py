"""What HTTP says of balances."""

from collections.abc import Mapping
from datetime import date
from typing import Literal, Self
from uuid import UUID

from pydantic import Field

from services.redemption.domain.by_date import Dated
from services.redemption.domain.spendable import Spendable
from services.redemption.domain.usable import usable_in_words
from services.redemption.schemas.answer import Answer
from services.redemption.schemas.dated import ByDateAnswer
from services.redemption.schemas.identifiers import ShownIdentifierBody
from shared.ledger import Balances, Usable
from shared.point_types import PointTypes
from shared.web import Body


class BalanceLookupBody(Body):
    """Whose balance: what a till has read, and how."""

    identifier: ShownIdentifierBody


class BalanceAnswer(Answer):
    """Points of one type: to spend, reserved, earned but not to be spent yet, owed."""

    available: int
    held: int
    pending: int
    debt: int

    @classmethod
    def of(cls, balances: Balances) -> Self:
        """The answer for balances."""
        return cls(available=balances.available, held=balances.held, pending=balances.pending, debt=balances.debt)


class UsableAnswer(Answer):
    """Points that may be spent alike. A list that is empty limits nothing; a day is the first or last of a window."""

    points: int
    partners: tuple[str, ...] = ()
    stores: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    dates: tuple[tuple[date, date], ...] = ()
    text: str

    @classmethod
    def of(cls, usable: Usable) -> Self:
        """The answer for points with the same limits."""
        limits, points, text = usable.limits, usable.available, usable_in_words(usable)
        if limits is None:
            return cls(points=points, text=text)
        named = {kind: getattr(limits, kind) for kind in ("partners", "stores", "categories", "dates")}
        return cls(points=points, text=text, **named)


_NOT_ASKED: Mapping[str, Dated] = {}


def _is_absent(value: object) -> bool:
    return value is None


class TypeBalanceAnswer(BalanceAnswer):
    """A balance, and of which point type. ``pooled`` is what the member may spend of others in its household.

    ``use`` status: such points only count, and none of them is spendable. ``exponent``: how many decimals are shown of
    amounts, which are whole numbers of the smallest unit here as everywhere.
    """

    point_type: str
    use: Literal["spend", "status"]
    exponent: int
    pooled: int = Field(description="Of others in the household, beside what is available.")
    spendable: int = Field(description="In all: available and pooled.")
    usable: list[UsableAnswer] = Field(
        description="What of all that may be spent on what: first what is free of limits."
    )
    available_by_expiry: ByDateAnswer | None = Field(
        default=None,
        exclude_if=_is_absent,
        description="With by_date: what is available, by the first day on which it may no longer be spent.",
    )
    pending_by_date: ByDateAnswer | None = Field(
        default=None,
        exclude_if=_is_absent,
        description="With by_date: what is pending, by the day from which it may be spent.",
    )

    @classmethod
    def of_type(
        cls, point_type: str, balances: Balances, spendable: Spendable, types: PointTypes, dated: Dated | None
    ) -> Self:
        """The answer for balances of a type, and for their days where these were asked for."""
        return cls(
            point_type=point_type,
            use="spend" if types.is_spent(point_type) else "status",
            exponent=types.exponent_of(point_type),
            available=balances.available,
            held=balances.held,
            pending=balances.pending,
            debt=balances.debt,
            pooled=spendable.pooled,
            spendable=spendable.available + spendable.pooled,
            usable=[UsableAnswer.of(one) for one in spendable.usable],
            available_by_expiry=None if dated is None else ByDateAnswer.of(dated.available),
            pending_by_date=None if dated is None else ByDateAnswer.of(dated.pending),
        )


class MemberBalanceAnswer(Answer):
    """What a member has, by point type."""

    member_id: UUID
    balances: list[TypeBalanceAnswer]

    @classmethod
    def of(
        cls,
        member_id: UUID,
        balances: Mapping[str, Balances],
        spendable: Mapping[str, Spendable],
        types: PointTypes,
        dated: Mapping[str, Dated] = _NOT_ASKED,
    ) -> Self:
        """The answer for a member's balances and what may be spent, by point type; ``dated`` where it was asked for."""
        answers = [
            TypeBalanceAnswer.of_type(code, balances[code], spendable[code], types, dated.get(code))
            for code in sorted(balances)
        ]
        return cls(member_id=member_id, balances=answers)
