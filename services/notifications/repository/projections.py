"""What notifications remembers of members and partners."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from shared.database import Transaction

_SAVE_RECIPIENTS = """
    insert into recipients (member_id, version, status, language)
    select member_id, version, status, language
    from unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[]) as incoming (member_id, version, status, language)
    order by member_id
    on conflict (member_id) do update
        set version = excluded.version, status = excluded.status, language = excluded.language
        where recipients.version < excluded.version  -- a projection only moves forward
            and recipients.erased_version is null
"""

_SAVE_PARTNERS = """
    insert into partners (partner_id, version, name)
    select partner_id, version, name
    from unnest($1::text[], $2::bigint[], $3::text[]) as incoming (partner_id, version, name)
    order by partner_id
    on conflict (partner_id) do update set version = excluded.version, name = excluded.name
        where partners.version < excluded.version
"""


@dataclass(frozen=True, slots=True)
class Recipient:
    """A member as ``loyalty.members`` tells of him."""

    member_id: UUID
    version: int
    status: str
    language: str | None


@dataclass(frozen=True, slots=True)
class Partner:
    """A partner's name, as of a version."""

    partner_id: str
    version: int
    name: str


async def save_recipients(transaction: Transaction, recipients: Collection[Recipient]) -> None:
    """Move each recipient to its version, if that is higher. A member may appear once; one who was erased stays so."""
    await transaction.raw.execute(
        _SAVE_RECIPIENTS,
        [recipient.member_id for recipient in recipients],
        [recipient.version for recipient in recipients],
        [recipient.status for recipient in recipients],
        [recipient.language for recipient in recipients],
    )


async def save_partners(transaction: Transaction, partners: Collection[Partner]) -> None:
    """Move each partner's name to its version, if that is higher. A partner may appear once."""
    await transaction.raw.execute(
        _SAVE_PARTNERS,
        [partner.partner_id for partner in partners],
        [partner.version for partner in partners],
        [partner.name for partner in partners],
    )
