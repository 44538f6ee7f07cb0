"""Say what a partner's categories count as in the programme's tree."""

from collections.abc import Mapping
from datetime import datetime

from services.coalition.domain.audit import Act, facts_of
from services.coalition.domain.categories import CategoryMapping, CategorySales, beginning
from services.coalition.domain.errors import CategoryNotFoundError, PartnerNotFoundError
from services.coalition.repository import categories, category_sales, partners
from services.coalition.use_cases import announcements
from services.coalition.use_cases.read_partners import read_partner
from services.coalition.use_cases.record_acts import record_acts
from shared import outbox
from shared.database import Transaction


async def map_categories(
    transaction: Transaction,
    partner_id: str,
    wanted: Mapping[str, str | None],
    *,
    starts_at: datetime | None,
    reason_code: str,
    author: str,
) -> list[CategoryMapping]:
    """Add a version for each of the partner's categories; record the acts and ProductMapped. None: as itself again.

    Holds the partner's row to the commit, which numbers its versions without a hole.

    Raises:
        PartnerNotFoundError: there is no such partner.
        CategoryNotFoundError: the tree has no such category.
        PublishedTooLateError: it would count before everybody knows of it.
    """
    if not await partners.lock_partner(transaction, partner_id):
        raise PartnerNotFoundError("there is no such partner")
    named = {category_id for category_id in wanted.values() if category_id is not None}
    known = await categories.find_categories(transaction, named)
    if missing := sorted(named - known.keys()):
        raise CategoryNotFoundError(f"the tree has no category {missing[0]}: register it first")
    last = await categories.last_version(transaction, partner_id)
    in_force_from = beginning(starts_at, transaction.now)
    mappings = [
        CategoryMapping(
            partner_id,
            last + place,
            partner_category,
            category_id,
            known[category_id].path if category_id is not None else (),
            in_force_from,
        )
        for place, (partner_category, category_id) in enumerate(wanted.items(), start=1)
    ]
    await categories.insert_mappings(transaction, mappings)
    acts = [
        Act(author, "category.mapped", mapping.subject, partner_id, after=facts_of(mapping), why=reason_code)
        for mapping in mappings
    ]
    await record_acts(transaction, acts)
    await outbox.record(transaction, [announcements.product_mapped(transaction, mapping) for mapping in mappings])
    return mappings


async def read_mappings(
    transaction: Transaction, partner_id: str, *, after: str | None, rows_max: int
) -> list[CategoryMapping]:
    """The newest word on each of a partner's categories, in the order of their names.

    Raises:
        PartnerNotFoundError: there is no such partner.
    """
    await read_partner(transaction, partner_id)
    return await categories.load_newest(transaction, partner_id, after or "", rows_max)


async def read_unmapped(transaction: Transaction, partner_id: str, rows_max: int) -> list[CategorySales]:
    """Categories of the partner's receipts that count as themselves by the newest word, those that sell most first.

    Raises:
        PartnerNotFoundError: there is no such partner.
    """
    await read_partner(transaction, partner_id)
    return await category_sales.load_unmapped(transaction, partner_id, rows_max)
