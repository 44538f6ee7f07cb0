"""Everything that is kept of one member, but the ledger's. The id is taken as it stands."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from services.redemption.domain.privileges.bought import Bought
from services.redemption.domain.redemption import Capture, Redemption
from services.redemption.domain.rewards.voucher import Voucher
from services.redemption.repository import bought_privileges, vouchers
from services.redemption.repository.captures import CAPTURE_COLUMNS, capture_of
from services.redemption.repository.redemptions import REDEMPTION_COLUMNS, redemptions_of
from shared.database import Transaction

LOAD_REDEMPTIONS = f"""
    select {REDEMPTION_COLUMNS}
    from redemptions
    where member_id = $1 and ($2::uuid is null or redemption_id > $2)
    order by redemption_id
    limit $3
"""
LOAD_CAPTURES = f"""
    select {CAPTURE_COLUMNS}
    from redemption_captures
    where redemption_id = any($1::uuid[])
    order by captured_at, receipt_key
"""
# Also what waits under an identifier that is the member's by now.
LOAD_WAITING = """
    select receipt_key, redemption_id, content_hash, partner_id, points, waiting_since, occurred_at, store_id,
        categories
    from redemption_waiting_tenders as waiting
    where (receipt_key, redemption_id, content_hash) > ($2, $3, $4) and (receipt_key, redemption_id, content_hash) in (
        select receipt_key, redemption_id, content_hash from redemption_waiting_tenders where member_id = $1
        union all
        select receipt_key, redemption_id, content_hash
        from redemption_waiting_tenders join redemption_identifiers using (identifier_hash)
        where redemption_identifiers.member_id = $1
    )
    order by receipt_key, redemption_id, content_hash
    limit $5
"""

LOAD_LENT = """
    select share.redemption_id, share.position, redemption.point_type, redemption.held_at, share.held_points,
        share.open_points, share.captured_points
    from redemption_shares as share
        join redemptions as redemption using (redemption_id)
    where share.owner_id = $1 and (share.redemption_id, share.position) > ($2, $3)
    order by share.redemption_id, share.position
    limit $4
"""

LOAD_QUOTES = """
    select quote_id, partner_id, rule_set_version, checkout::text, points, value_minor, quoted_at, expires_at
    from redemption_quotes
    where member_id = $1 and ($2::uuid is null or quote_id > $2)
    order by quote_id
    limit $3
"""

LOAD_GIFTS = """
    select gift_id, giver_id = $1 as is_given, point_type, points, given_at
    from redemption_gifts
    where ($2::uuid is null or gift_id > $2) and gift_id in (
        select gift_id from redemption_gifts where giver_id = $1
        union all
        select gift_id from redemption_gifts where receiver_id = $1
    )
    order by gift_id
    limit $3
"""

LOAD_GRANTS = """
    select privilege_id, last_day, granted_at
    from redemption_privilege_grants
    where member_id = $1 and ($2::text is null or privilege_id > $2)
    order by privilege_id
    limit $3
"""

LOAD_PRIVILEGE_USES = """
    select receipt_key, privilege_id, partner_id, occurred_at, currency,
        (select coalesce(sum(amount), 0)::bigint from unnest(line_amounts_minor) as amount) as amount_minor,
        undone_minor, is_undone
    from redemption_privilege_uses
    where member_id = $1 and (receipt_key, privilege_id) > ($2, $3)
    order by receipt_key, privilege_id
    limit $4
"""


@dataclass(frozen=True, slots=True)
class KeptPrivilegeUse:
    """A privilege that the member used, and what is undone of it."""

    receipt_key: bytes
    privilege_id: str
    partner_id: str
    occurred_at: datetime
    currency: str
    amount_minor: int
    undone_minor: int
    is_undone: bool


@dataclass(frozen=True, slots=True)
class KeptGrant:
    """A privilege that the programme granted to the member."""

    privilege_id: str
    last_day: date | None
    granted_at: datetime


LOAD_BOUGHT = f"""
    select {bought_privileges.COLUMNS}
    from redemption_bought_privileges
    where member_id = $1 and (receipt_key, privilege_id) > ($2, $3)
    order by receipt_key, privilege_id
    limit $4
"""
LOAD_VOUCHERS = f"""
    select {vouchers.COLUMNS}
    from redemption_vouchers
    where member_id = $1 and ($2::uuid is null or voucher_id > $2)
    order by voucher_id
    limit $3
"""


@dataclass(frozen=True, slots=True)
class KeptGift:
    """Points that the member gave to another one, or got from one."""

    gift_id: UUID
    is_given: bool
    point_type: str
    points: int
    given_at: datetime


@dataclass(frozen=True, slots=True)
class KeptRedemption:
    """A redemption, and what receipts took of it, oldest first."""

    redemption: Redemption
    captures: Sequence[Capture]


@dataclass(frozen=True, slots=True)
class KeptTender:
    """A points tender of a receipt that waits for its member."""

    receipt_key: bytes
    redemption_id: UUID
    content_hash: str
    partner_id: str
    points: int
    waiting_since: datetime
    occurred_at: datetime | None
    store_id: str | None
    categories: Sequence[str]


@dataclass(frozen=True, slots=True)
class KeptShare:
    """What the member lent to another one of its household, for a redemption that is not the member's."""

    redemption_id: UUID
    position: int
    point_type: str
    held_at: datetime
    held_points: int
    open_points: int
    captured_points: int


@dataclass(frozen=True, slots=True)
class KeptQuote:
    """How much of a basket points might have paid; ``checkout`` is what was asked, as JSON."""

    quote_id: UUID
    partner_id: str
    rule_set_version: int
    checkout: str
    points: int
    value_minor: int
    quoted_at: datetime
    expires_at: datetime


async def load_redemptions(
    transaction: Transaction, member_id: UUID, after: UUID | None, rows_max: int
) -> list[KeptRedemption]:
    """The member's redemptions, in the order of their ids, with all their captures."""
    found = await redemptions_of(transaction, await transaction.raw.fetch(LOAD_REDEMPTIONS, member_id, after, rows_max))
    captures: dict[UUID, list[Capture]] = {redemption.redemption_id: [] for redemption in found}
    for row in await transaction.raw.fetch(LOAD_CAPTURES, list(captures)):
        captures[row["redemption_id"]].append(capture_of(row))
    return [KeptRedemption(redemption, captures[redemption.redemption_id]) for redemption in found]


async def load_waiting(
    transaction: Transaction, member_id: UUID, after: tuple[bytes, UUID, str], rows_max: int
) -> list[KeptTender]:
    """Tenders that wait under the member's id or identifiers, in the order of their keys."""
    rows = await transaction.raw.fetch(LOAD_WAITING, member_id, *after, rows_max)
    return [KeptTender(**dict(row)) for row in rows]


async def load_lent(
    transaction: Transaction, member_id: UUID, after: tuple[UUID, int], rows_max: int
) -> list[KeptShare]:
    """What was reserved of the member for others, in the order of redemptions."""
    return [KeptShare(**dict(row)) for row in await transaction.raw.fetch(LOAD_LENT, member_id, *after, rows_max)]


async def load_quotes(transaction: Transaction, member_id: UUID, after: UUID | None, rows_max: int) -> list[KeptQuote]:
    """The quotes that the member was given, in the order of their ids."""
    return [KeptQuote(**dict(row)) for row in await transaction.raw.fetch(LOAD_QUOTES, member_id, after, rows_max)]


async def load_gifts(transaction: Transaction, member_id: UUID, after: UUID | None, rows_max: int) -> list[KeptGift]:
    """What the member gave and got, in the order of gifts."""
    return [KeptGift(**dict(row)) for row in await transaction.raw.fetch(LOAD_GIFTS, member_id, after, rows_max)]


async def load_grants(transaction: Transaction, member_id: UUID, after: str | None, rows_max: int) -> list[KeptGrant]:
    """What was granted to the member, in the order of the privileges' ids."""
    return [KeptGrant(**dict(row)) for row in await transaction.raw.fetch(LOAD_GRANTS, member_id, after, rows_max)]


async def load_vouchers(transaction: Transaction, member_id: UUID, after: UUID | None, rows_max: int) -> list[Voucher]:
    """What the member took of rewards, in the order of vouchers."""
    rows = await transaction.raw.fetch(LOAD_VOUCHERS, member_id, after, rows_max)
    return [vouchers.voucher_of(row) for row in rows]


async def load_privilege_uses(
    transaction: Transaction, member_id: UUID, after: tuple[bytes, str], rows_max: int
) -> list[KeptPrivilegeUse]:
    """The privileges that the member used, in the order of receipts' keys."""
    rows = await transaction.raw.fetch(LOAD_PRIVILEGE_USES, member_id, *after, rows_max)
    return [KeptPrivilegeUse(**dict(row)) for row in rows]


async def load_bought(
    transaction: Transaction, member_id: UUID, after: tuple[bytes, str], rows_max: int
) -> list[Bought]:
    """What receipts under this id entitle to, in the order of their keys."""
    rows = await transaction.raw.fetch(LOAD_BOUGHT, member_id, *after, rows_max)
    return [bought_privileges.bought_of(row) for row in rows]
