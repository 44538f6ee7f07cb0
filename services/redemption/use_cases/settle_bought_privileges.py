"""What receipts bought becomes privileges of their members, and returns, voids and refusals take them back."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeAlias

from services.redemption.domain.privileges.bought import Bought, bought_of, entitles, may_entitle
from services.redemption.domain.privileges.terms import ForPurchase
from services.redemption.programme import Programme
from services.redemption.repository import (
    bought_privileges,
    categories,
    privilege_uses,
    privileges,
    receipts,
    voided_receipts,
)
from services.redemption.use_cases.settle_privilege_uses import load_standing
from shared.database import Transaction
from shared.database.errors import StartAgainError
from shared.events.purchases import ExchangeRecorded, PurchaseEvent, PurchaseRecorded
from shared.receipt_key import natural_key_of

_Key: TypeAlias = tuple[bytes, str]
_Sale: TypeAlias = PurchaseRecorded | ExchangeRecorded


async def settle_bought_privileges(
    transaction: Transaction, events: Sequence[PurchaseEvent], undoing: set[bytes], programme: Programme
) -> int:
    """Keep what these documents entitle to, and undo or restore what returns, voids and refusals say of receipts.

    ``undoing`` are the keys of all documents that concern others; what they say is committed already. It is the
    receipt's and the privilege's, once; what stands follows from all that was read by then, in whatever order it came,
    and the same again changes nothing. Gives how many stand otherwise. Locks the receipts in key order to the commit.

    Raises:
        MalformedReceiptIdError, UnusableReceiptError: a document names what cannot be.
        StartAgainError: a document that concerns these came in between.
    """
    sales = [event for event in events if may_entitle(event, programme.privileges.by_purchase)]
    told = await _told(transaction, [one for one in sales if isinstance(one, _Sale)], programme)
    asked = undoing | {one.receipt_key for one in told}
    if not asked:
        return 0
    keys = await privilege_uses.find_concerned(transaction, asked)
    refused = await receipts.meet_receipts(transaction, keys)
    new = {one.receipt_key for one in told}
    totals_minor = {natural_key_of(one.data.receipt_id): one.data.total_minor for one in reversed(sales)}
    await voided_receipts.keep_totals(transaction, {key: totals_minor[key] for key in new})
    if await privilege_uses.find_concerned(transaction, asked) != keys:
        raise StartAgainError("a return or a void of these receipts came meanwhile")
    before = {_key(one): one for one in await bought_privileges.load(transaction, keys)}
    now = _known(before, told, refused)
    if not now:
        return 0
    changed = [one for one in await _standing(transaction, now, refused) if before.get(_key(one)) != one]
    await bought_privileges.save(transaction, changed)
    return len(changed)


def _key(one: Bought) -> _Key:
    return one.receipt_key, one.privilege_id


async def _told(transaction: Transaction, sales: Sequence[_Sale], programme: Programme) -> list[Bought]:
    asked: dict[tuple[str, str, datetime], None] = {
        (sale.data.partner_id, line.category, sale.data.occurred_at): None
        for sale in sales
        for line in sale.data.lines
        if line.category is not None
    }
    paths = dict(zip(asked, await categories.load_paths(transaction, list(asked)), strict=True)) if asked else {}
    told: list[Bought] = []
    for sale in sales:
        at = sale.data.partner_id, sale.data.occurred_at
        counts_as = {category: path for (partner, category, moment), path in paths.items() if (partner, moment) == at}
        told += bought_of(sale, programme.privileges.by_purchase, counts_as, programme.zone)
    return told


def _known(
    before: Mapping[_Key, Bought], told: Sequence[Bought], refused: Mapping[bytes, frozenset[str]]
) -> dict[_Key, Bought]:
    """All that is known: of several documents of one key the first that was not refused. A receipt that named nobody
    is its member's once it is told again under one."""
    now = dict(before)
    for one in told:
        if one.content_hash in refused[one.receipt_key]:
            continue
        kept = now.get(_key(one))
        if kept is None or kept.content_hash in refused[one.receipt_key]:
            now[_key(one)] = one
        elif kept.member_id is None and kept.content_hash == one.content_hash:
            now[_key(one)] = replace(kept, member_id=one.member_id)
    return now


async def _standing(
    transaction: Transaction, now: Mapping[_Key, Bought], refused: Mapping[bytes, frozenset[str]]
) -> list[Bought]:
    stands = await load_standing(transaction, {receipt_key for receipt_key, _ in now})
    terms = await privileges.load(transaction, {privilege_id for _, privilege_id in now})
    found = []
    for (receipt_key, privilege_id), one in sorted(now.items()):
        kind = terms[privilege_id].terms.entitlement
        is_left = isinstance(kind, ForPurchase) and entitles(one, kind, stands.returned[receipt_key])
        is_void = receipt_key in stands.voided or one.content_hash in refused[receipt_key]
        found.append(replace(one, is_undone=is_void or not is_left))
    return found
