"""Which of the programme's privileges a member has, at a till, on a day. Pure."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Final, Literal, NamedTuple, Self, TypeAlias, assert_never

from services.redemption.domain.partner_standing import Standing
from services.redemption.domain.privileges.life import Privilege
from services.redemption.domain.privileges.terms import ForEveryone, ForOffer, ForPurchase, ForTiers, PrivilegeTerms
from services.redemption.domain.standing import DECLINES, KnownStatus, StatusReason
from shared.events.coalition import PartnerState
from shared.ledger import store_name

PlaceReason: TypeAlias = Literal["partner_not_open", "partner_suspended", "partner_left"]
NoneReason: TypeAlias = StatusReason | PlaceReason

# Whoever only earns, or may not spend points just now, spends none by having a privilege.
_KEEPS_PRIVILEGES: Final[frozenset[KnownStatus]] = frozenset({"active", "earn_only", "spend_locked"})

_NOT_AT: Final[Mapping[PartnerState, PlaceReason]] = {
    "preparing": "partner_not_open",
    "testing": "partner_not_open",
    "suspended": "partner_suspended",
    "left": "partner_left",
}


class Place(NamedTuple):
    """Where a till stands; the store is named with its partner."""

    partner_id: str
    store: str | None = None

    @classmethod
    def of(cls, partner_id: str, store_id: str | None) -> Self:
        """The place of a store, as the partner calls it."""
        return cls(partner_id, None if store_id is None else store_name(partner_id, store_id))


class Holder(NamedTuple):
    """What a member has that entitles: a tier (the lowest is not always told of), and what was granted, or bought, by
    the privileges' ids."""

    tier: str | None = None
    granted: frozenset[str] = frozenset()
    bought: frozenset[str] = frozenset()


def why_none(status: KnownStatus, partner: Standing | None) -> NoneReason | None:
    """Why a member has no privileges at all at a partner now; None where it may have some."""
    if status not in _KEEPS_PRIVILEGES:
        return DECLINES[status]
    return None if partner is None else _NOT_AT.get(partner.state)


def entitled(
    privileges: Iterable[Privilege], holder: Holder, place: Place, moment: datetime, day: date
) -> list[PrivilegeTerms]:
    """Those that the member has there then, by order and id; ``day`` is the moment's, where the programme is."""
    return [one for one in held(privileges, holder, moment, day) if one.is_at(*place)]


def held(privileges: Iterable[Privilege], holder: Holder, moment: datetime, day: date) -> list[PrivilegeTerms]:
    """Those that the member has then, wherever that is."""
    found = [one.terms for one in privileges if one.is_given(moment, day) and _is_for(one.terms, holder)]
    return sorted(found, key=lambda one: (one.order, one.privilege_id))


def _is_for(terms: PrivilegeTerms, holder: Holder) -> bool:
    match terms.entitlement:
        case ForEveryone():
            return True
        case ForTiers(tiers=tiers):
            return holder.tier in tiers
        case ForOffer():
            return terms.privilege_id in holder.granted
        case ForPurchase():
            return terms.privilege_id in holder.bought
        case _:
            assert_never(terms.entitlement)
