"""Change a partner's kind or state."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, tzinfo

from services.coalition.domain.audit import Act, facts_of
from services.coalition.domain.errors import PartnerNotFoundError
from services.coalition.domain.registry import Partner
from services.coalition.domain.standing import Standing, change_standing
from services.coalition.repository import partners
from services.coalition.use_cases import announcements
from services.coalition.use_cases.record_acts import record_acts
from shared import outbox
from shared.database import Transaction
from shared.web.preconditions import require_version


async def change_partner(
    transaction: Transaction,
    partner_id: str,
    wanted_of: Callable[[Standing], Standing],
    *,
    starts_at: datetime | None,
    expected_version: int,
    zone: tzinfo,
    author: str,
) -> Partner:
    """Declare where a partner stands from now on (or from ``starts_at``), and record the act and PartnerChanged.

    ``wanted_of`` says what is wanted, given what is there. Holds the partner's row to the commit. ``zone`` is where the
    programme's days end.

    Raises:
        PartnerNotFoundError: there is no such partner.
        VersionChangedError: it was changed since the caller read it.
        StateChangeError, LeavingDatesError, PublishedTooLateError: this change cannot be.
    """
    partner = await partners.lock_present(transaction, partner_id)
    if partner is None:
        raise PartnerNotFoundError("there is no such partner")
    require_version(expected_version, partner.version)
    today = transaction.now.astimezone(zone).date()
    wanted = wanted_of(partner.standing)
    standing = change_standing(partner.standing, wanted, starts_at=starts_at, today=today, now=transaction.now)
    changed = replace(partner, standing=standing, version=partner.version + 1)
    await partners.update_partner(transaction, changed)
    act = Act(
        author,
        "partner.changed",
        partner_id,
        partner_id,
        before=facts_of(partner),
        after=facts_of(changed),
        why=standing.reason_code,
    )
    await record_acts(transaction, [act])
    await outbox.record(transaction, [announcements.partner_changed(transaction, changed)])
    return changed
