"""What HTTP says of the privileges of a member, for whoever explains them."""

from datetime import date, datetime
from typing import Literal, Self, assert_never
from uuid import UUID

from services.redemption.domain.privileges.bought import Bought
from services.redemption.domain.privileges.entitlement import NoneReason
from services.redemption.domain.privileges.terms import (
    Benefit,
    ForEveryone,
    ForOffer,
    ForPurchase,
    ForTiers,
    PrivilegeTerms,
)
from services.redemption.schemas.answer import Answer
from services.redemption.use_cases.read_privileges import MembersPrivileges
from shared.receipt_key import receipt_id_of


class PurchaseEntitlesAnswer(Answer):
    """A receipt that entitles to it, and until when."""

    receipt_id: str
    partner_id: str
    bought_at: datetime
    last_day: date

    @classmethod
    def of(cls, bought: Bought) -> Self:
        """The answer for what was bought."""
        return cls(
            receipt_id=receipt_id_of(bought.receipt_key),
            partner_id=bought.partner_id,
            bought_at=bought.bought_at,
            last_day=bought.last_day,
        )


class HeldPrivilegeAnswer(Answer):
    """A privilege that the member has now. ``because`` says why: everybody has it, the member's ``tier``, an ``offer``
    that ``granted_by`` granted, or ``purchase``: the ``receipts`` that entitle to it. ``partners`` and ``stores`` are
    where it is given; null: anywhere. ``last_day``: the last one on which the member has it, as far as there is one.
    ``uses_left``: null where it is not limited; 0: it is not given now.
    """

    privilege_id: str
    name: str
    benefit: Benefit
    because: Literal["everyone", "tier", "offer", "purchase"]
    granted_by: str | None
    granted_at: datetime | None
    receipts: list[PurchaseEntitlesAnswer]
    partners: list[str] | None
    stores: list[str] | None
    last_day: date | None
    uses_left: int | None

    @classmethod
    def of(cls, terms: PrivilegeTerms, found: MembersPrivileges) -> Self:
        """The answer for one of the member's."""
        grant = found.grants.get(terms.privilege_id) if isinstance(terms.entitlement, ForOffer) else None
        bought = found.bought.get(terms.privilege_id, ()) if isinstance(terms.entitlement, ForPurchase) else ()
        own_ends = [grant.last_day] if grant is not None else [max(one.last_day for one in bought)] if bought else []
        return cls(
            privilege_id=terms.privilege_id,
            name=terms.name,
            benefit=terms.benefit,
            because=_because(terms),
            granted_by=None if grant is None else grant.granted_by,
            granted_at=None if grant is None else grant.granted_at,
            receipts=[PurchaseEntitlesAnswer.of(one) for one in bought],
            partners=None if terms.partners is None else list(terms.partners),
            stores=None if terms.stores is None else list(terms.stores),
            last_day=min((day for day in (terms.last_day, *own_ends) if day is not None), default=None),
            uses_left=found.uses_left.get(terms.privilege_id),
        )


class MemberPrivilegesAnswer(Answer):
    """What a member has now, by order and id, and the member's ``tier`` where one was told. ``none_because``: the
    member's status gives none at all."""

    member_id: UUID
    tier: str | None
    none_because: NoneReason | None
    privileges: list[HeldPrivilegeAnswer]

    @classmethod
    def of_member(cls, found: MembersPrivileges) -> Self:
        """The answer for a member."""
        return cls(
            member_id=found.member_id,
            tier=found.tier,
            none_because=found.none_because,
            privileges=[HeldPrivilegeAnswer.of(terms, found) for terms in found.terms],
        )


def _because(terms: PrivilegeTerms) -> Literal["everyone", "tier", "offer", "purchase"]:
    match terms.entitlement:
        case ForEveryone():
            return "everyone"
        case ForTiers():
            return "tier"
        case ForOffer():
            return "offer"
        case ForPurchase():
            return "purchase"
        case _:
            assert_never(terms.entitlement)
