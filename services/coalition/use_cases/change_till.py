"""A till gets another key, or loses those that it has."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal

from services.coalition.domain.audit import Act, facts_of
from services.coalition.domain.errors import PartnerNotFoundError, TillNotFoundError
from services.coalition.domain.registry import Till
from services.coalition.repository import partners, stores
from services.coalition.use_cases import announcements
from services.coalition.use_cases.record_acts import record_acts
from shared import outbox
from shared.database import Transaction


@dataclass(frozen=True, slots=True)
class TillName:
    """The three codes that name a till."""

    partner_id: str
    store_id: str
    till_id: str


async def rotate_key(
    transaction: Transaction, name: TillName, key_sha256: str, overlap: timedelta, reason_code: str, author: str
) -> Till:
    """Give a till a new key; the old one stays good for ``overlap``. Records the act and TillChanged.

    An older key that was still good ends now: there are never more than two. A revoked till is let in again with the
    new key alone. Holds the partner's row to the commit.

    Raises:
        PartnerNotFoundError, TillNotFoundError: there is no such partner, or it has no such till.
    """
    till = await _locked(transaction, name)
    has_overlap = bool(overlap) and not till.is_revoked
    changed = replace(
        till,
        key_sha256=key_sha256,
        is_revoked=False,
        previous_key_sha256=till.key_sha256 if has_overlap else None,
        previous_key_until=transaction.now + overlap if has_overlap else None,
    )
    return await _save(transaction, till, changed, "till_key.rotated", reason_code, author)


async def revoke_keys(
    transaction: Transaction, name: TillName, keys: Literal["previous", "all"], reason_code: str, author: str
) -> Till:
    """End a till's keys at once: the one that was replaced, or all. Records the act and TillChanged.

    Raises:
        PartnerNotFoundError, TillNotFoundError: there is no such partner, or it has no such till.
    """
    till = await _locked(transaction, name)
    changed = replace(
        till,
        is_revoked=till.is_revoked or keys == "all",
        previous_key_sha256=None,
        previous_key_until=None,
    )
    return await _save(transaction, till, changed, "till_key.revoked", reason_code, author)


async def _locked(transaction: Transaction, name: TillName) -> Till:
    if not await partners.lock_partner(transaction, name.partner_id):
        raise PartnerNotFoundError("there is no such partner")
    till = await stores.lock_till(transaction, name.partner_id, name.store_id, name.till_id)
    if till is None:
        raise TillNotFoundError("the partner has no such till in this store")
    return till


async def _save(transaction: Transaction, till: Till, wanted: Till, action: str, reason_code: str, author: str) -> Till:
    changed = replace(wanted, version=till.version + 1)
    await stores.update_till(transaction, changed)
    act = Act(
        author,
        action,
        till.subject,
        till.partner_id,
        before=facts_of(till),
        after=facts_of(changed),
        why=reason_code,
    )
    await record_acts(transaction, [act])
    await outbox.record(transaction, [announcements.till_changed(transaction, changed)])
    return changed
