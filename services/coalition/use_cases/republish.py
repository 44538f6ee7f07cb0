"""Tell the present state again: that is how a new projection starts, whatever the topic's retention.

One partner after the other, and of each first what it was and is, then its stores, its tills, its operators, what its
categories and articles count as, its articles' price floors, its contracts, its exposure; after the last partner the
clients and people.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

from services.coalition.domain.categories import CategoryMapping
from services.coalition.domain.exposure import Judged
from services.coalition.domain.top_ups import Paid
from services.coalition.repository import clients, contracts, exposure, operators, partners, republishing, top_ups
from services.coalition.use_cases import announcements
from services.coalition.use_cases.contract_events import contract_published
from services.coalition.use_cases.exposure_events import exposure_messages
from services.coalition.use_cases.judge_exposure import position_now
from services.coalition.use_cases.operator_events import operator_changed
from shared import outbox
from shared.database import Transaction
from shared.outbox import Message

EVENTS_PER_PAGE_MAX = 500

PartnerSection: TypeAlias = Literal[
    "partner", "stores", "tills", "operators", "said", "floors", "contracts", "exposure"
]


class Place(NamedTuple):
    """Where a page starts after: ``told`` is a partner of whom all was told. The others are the last key of a section,
    of which ``number`` or the texts count, whichever it goes by."""

    section: PartnerSection | Literal["told", "clients"]
    partner_id: str = ""
    text: str = ""
    below: str = ""
    number: int = 0


class Told(NamedTuple):
    """What was recorded, and the place of the last of it."""

    messages: Sequence[Message]
    last: Place | None


@dataclass(frozen=True, slots=True)
class Republished:
    """How many events a page recorded, and where the next one starts after; None where nothing follows."""

    events: int
    last: Place | None


async def republish(transaction: Transaction, after: Place | None, events_max: int) -> Republished:
    """Record a page of events of what is there, of one partner at most, or of clients.

    All at their present versions (of partners, and of what their categories and articles count as, every version there
    was), which do not rise: whoever has them already changes nothing, however often this is done. A partner's row is
    held to the commit, so that nothing newer of it gets into the outbox before.
    """
    place = after or Place("told")
    if place.section == "clients":
        return await _clients(transaction, place, events_max)
    if place.section == "told":
        partner_id = await republishing.lock_next_partner(transaction, place.partner_id)
        if partner_id is None:
            return await _clients(transaction, Place("clients"), events_max)
        place = Place("partner", partner_id)
    elif not await partners.lock_partner(transaction, place.partner_id):
        return Republished(0, Place("told", place.partner_id))
    messages: list[Message] = []
    last = Place("told", place.partner_id)
    for name, tell in list(_SECTIONS.items())[_ORDER.index(place.section) :]:
        start = place if name == place.section else Place(name, place.partner_id)
        told = await tell(transaction, start, events_max - len(messages))
        messages += told.messages
        if told.last is not None and len(messages) >= events_max:
            last = told.last
            break
    await outbox.record(transaction, messages)
    return Republished(len(messages), last)


async def _clients(transaction: Transaction, after: Place, events_max: int) -> Republished:
    page = await clients.lock_clients(transaction, after=after.text, rows_max=events_max)
    await outbox.record(transaction, [announcements.client_changed(transaction, client) for client in page])
    return Republished(len(page), Place("clients", text=page[-1].client_id) if len(page) == events_max else None)


async def _partner(transaction: Transaction, after: Place, rows_max: int) -> Told:
    page = await republishing.load_versions(transaction, after.partner_id, after.number, rows_max)
    last = after._replace(number=page[-1].version) if page else None
    return Told([announcements.partner_changed(transaction, each) for each in page], last)


async def _stores(transaction: Transaction, after: Place, rows_max: int) -> Told:
    page = await republishing.load_stores(transaction, after.partner_id, after.text, rows_max)
    last = after._replace(text=page[-1].store_id) if page else None
    return Told([announcements.store_changed(transaction, each) for each in page], last)


async def _tills(transaction: Transaction, after: Place, rows_max: int) -> Told:
    page = await republishing.load_tills(transaction, after.partner_id, (after.text, after.below), rows_max)
    last = after._replace(text=page[-1].store_id, below=page[-1].till_id) if page else None
    return Told([announcements.till_changed(transaction, each) for each in page], last)


async def _operators(transaction: Transaction, after: Place, rows_max: int) -> Told:
    page = await operators.load_operators(transaction, after.partner_id, after.text, rows_max)
    last = after._replace(text=page[-1].operator_hash) if page else None
    return Told([operator_changed(transaction, each) for each in page], last)


async def _said(transaction: Transaction, after: Place, rows_max: int) -> Told:
    page = await republishing.load_said(transaction, after.partner_id, after.number, rows_max)
    last = after._replace(number=page[-1].version) if page else None
    return Told(
        [
            announcements.product_mapped(transaction, each)
            if isinstance(each, CategoryMapping)
            else announcements.article_changed(transaction, each)
            for each in page
        ],
        last,
    )


async def _floors(transaction: Transaction, after: Place, rows_max: int) -> Told:
    """Those that were taken away, too: who has missed that would keep to them."""
    page = await republishing.load_floors(transaction, after.partner_id, after.text, rows_max)
    last = after._replace(text=page[-1].sku) if page else None
    return Told([announcements.price_floor_changed(transaction, each) for each in page], last)


async def _contracts(transaction: Transaction, after: Place, rows_max: int) -> Told:
    approved = await contracts.load_approved(transaction, [after.partner_id])
    page = [contract for contract in approved if contract.number > after.number][:rows_max]
    last = after._replace(number=page[-1].number) if page else None
    return Told([contract_published(transaction, each) for each in page], last)


async def _exposure(transaction: Transaction, after: Place, rows_max: int) -> Told:
    """Where it stands now, under the version that was told last. Alerts are not told again."""
    partner_id = after.partner_id
    if rows_max < 1 or after.number or (await exposure.find_exposure(transaction, partner_id)).version == 0:
        return Told((), None)  # nothing was ever told of it, or all has been
    (locked,) = await exposure.lock_exposures(transaction, [partner_id])
    sums = (await exposure.load_sums(transaction, [partner_id])).get(partner_id, ())
    paid = (await top_ups.load_paid(transaction, [partner_id])).get(partner_id, Paid())
    approved = await contracts.load_approved(transaction, [partner_id])
    now = max(transaction.now, locked.reviewed_at or transaction.now)
    judged = Judged(locked, position_now(approved, sums, paid, now), is_published=True)
    return Told(exposure_messages(transaction, judged, sums), after._replace(number=1))


_SECTIONS: dict[PartnerSection, Callable[[Transaction, Place, int], Awaitable[Told]]] = {
    "partner": _partner,
    "stores": _stores,
    "tills": _tills,
    "operators": _operators,
    "said": _said,
    "floors": _floors,
    "contracts": _contracts,
    "exposure": _exposure,
}
_ORDER: tuple[str, ...] = tuple(_SECTIONS)
