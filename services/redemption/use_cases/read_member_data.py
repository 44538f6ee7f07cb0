"""Everything that is kept of one member, for the member: in sections, each read in the order of its keys."""

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias
from uuid import UUID

from services.redemption.domain.errors import UnknownMemberError
from services.redemption.domain.privileges.bought import Bought
from services.redemption.domain.rewards.voucher import Voucher
from services.redemption.domain.statement import Line
from services.redemption.repository import kept_challenges, member_data
from services.redemption.repository.kept_challenges import KeptChallenge
from services.redemption.repository.member_data import (
    KeptGift,
    KeptGrant,
    KeptPrivilegeUse,
    KeptQuote,
    KeptRedemption,
    KeptShare,
    KeptTender,
)
from services.redemption.use_cases.read_statement import StatementPosition, read_statement
from services.redemption.use_cases.visibility import Viewer
from shared import ledger
from shared.database import Transaction
from shared.point_types import Unit
from shared.receipt_key import natural_key_of, receipt_id_of
from shared.web.sections import Section, read_key, read_number


class KeptLine(NamedTuple):
    """A line of the statement of one point type."""

    point_type: str
    line: Line


KeptOfPrivileges: TypeAlias = KeptGrant | KeptPrivilegeUse | Bought
KeptOfMember: TypeAlias = KeptRedemption | KeptGift | Voucher | KeptShare | KeptTender | KeptQuote | KeptChallenge
Kept: TypeAlias = KeptOfMember | KeptOfPrivileges | KeptLine
Found: TypeAlias = list[tuple[str, Kept]]

_NO_TENDER = (b"", UUID(int=0), "")
_NO_SHARE = (UUID(int=0), -1)


def sections(viewer: Viewer, units: Sequence[Unit]) -> tuple[Section[Kept], ...]:
    """Redemptions, what was lent to others, tenders that wait, quotes, gifts, vouchers, privileges granted, used and
    bought,    codes, and the statement of each point type as this viewer sees it: the programme's see every line."""

    def lines_of(unit: Unit) -> Section[Kept]:
        async def read_lines(transaction: Transaction, member_id: UUID, after: str | None, rows_max: int) -> Found:
            position = read_key(after, _position)
            return await _read_lines(transaction, viewer, member_id, unit, position, rows_max)

        return read_lines

    kept = read_redemptions, read_lent, read_waiting, read_quotes, read_gifts, read_vouchers
    return (*kept, read_grants, read_privilege_uses, read_bought, read_challenges, *map(lines_of, units))


async def read_redemptions(transaction: Transaction, member_id: UUID, after: str | None, rows_max: int) -> Found:
    """What was reserved and taken."""
    found = await member_data.load_redemptions(transaction, member_id, read_key(after, UUID), rows_max)
    return [(str(kept.redemption.redemption_id), kept) for kept in found]


async def read_challenges(transaction: Transaction, member_id: UUID, after: str | None, rows_max: int) -> Found:
    """What the member was asked to confirm by a code."""
    found = await kept_challenges.load_kept(transaction, member_id, read_key(after, UUID), rows_max)
    return [(str(kept.challenge_id), kept) for kept in found]


async def read_gifts(transaction: Transaction, member_id: UUID, after: str | None, rows_max: int) -> Found:
    """What was given to other members, and what they gave."""
    found = await member_data.load_gifts(transaction, member_id, read_key(after, UUID), rows_max)
    return [(str(kept.gift_id), kept) for kept in found]


async def read_vouchers(transaction: Transaction, member_id: UUID, after: str | None, rows_max: int) -> Found:
    """What was taken of rewards, without the codes."""
    found = await member_data.load_vouchers(transaction, member_id, read_key(after, UUID), rows_max)
    return [(str(voucher.voucher_id), voucher) for voucher in found]


async def read_lent(transaction: Transaction, member_id: UUID, after: str | None, rows_max: int) -> Found:
    """What was reserved of the member for others of its household."""
    found = await member_data.load_lent(transaction, member_id, read_key(after, _share) or _NO_SHARE, rows_max)
    return [(f"{kept.redemption_id}/{kept.position}", kept) for kept in found]


async def read_waiting(transaction: Transaction, member_id: UUID, after: str | None, rows_max: int) -> Found:
    """What receipts say was paid with points, and nobody knows yet with whose."""
    found = await member_data.load_waiting(transaction, member_id, read_key(after, _tender) or _NO_TENDER, rows_max)
    return [(f"{receipt_id_of(kept.receipt_key)}/{kept.redemption_id}/{kept.content_hash}", kept) for kept in found]


async def read_quotes(transaction: Transaction, member_id: UUID, after: str | None, rows_max: int) -> Found:
    """What was quoted, as long as it is kept."""
    found = await member_data.load_quotes(transaction, member_id, read_key(after, UUID), rows_max)
    return [(str(kept.quote_id), kept) for kept in found]


async def read_grants(transaction: Transaction, member_id: UUID, after: str | None, rows_max: int) -> Found:
    """Privileges that were granted."""
    found = await member_data.load_grants(transaction, member_id, after, rows_max)
    return [(kept.privilege_id, kept) for kept in found]


async def read_privilege_uses(transaction: Transaction, member_id: UUID, after: str | None, rows_max: int) -> Found:
    """Privileges that were used."""
    found = await member_data.load_privilege_uses(transaction, member_id, read_key(after, _use) or (b"", ""), rows_max)
    return [(f"{receipt_id_of(kept.receipt_key)}/{kept.privilege_id}", kept) for kept in found]


async def read_bought(transaction: Transaction, member_id: UUID, after: str | None, rows_max: int) -> Found:
    """Privileges that receipts entitle to."""
    position = read_key(after, _use) or (b"", "")
    found = await member_data.load_bought(transaction, member_id, position, rows_max)
    return [(f"{receipt_id_of(kept.receipt_key)}/{kept.privilege_id}", kept) for kept in found]


async def _read_lines(
    transaction: Transaction,
    viewer: Viewer,
    member_id: UUID,
    unit: Unit,
    position: StatementPosition | None,
    rows_max: int,
) -> Found:
    """The whole statement, newest line first. Members who were merged have one: the survivor's, not told twice."""
    if member_id in await ledger.find_survivors(transaction, [member_id]):
        return []
    found: Found = []
    while len(found) < rows_max:
        try:
            page = await read_statement(transaction, viewer, member_id, unit, position, rows_max - len(found))
        except UnknownMemberError:  # not told of yet, or erased: nobody's
            return []
        found += [(_key(line), KeptLine(unit.code, line)) for line in page.lines]
        position = page.next_position
        if position is None:
            break
    return found


def _key(line: Line) -> str:
    available = (line.available_after or 0) - line.movement.change
    return f"{line.movement.oldest_transfer_id}/{available}"


def _position(text: str) -> StatementPosition:
    transfer_id, _, available = text.partition("/")
    return StatementPosition(read_number(transfer_id), int(available))


def _tender(text: str) -> tuple[bytes, UUID, str]:
    receipt_id, redemption_id, content_hash = text.split("/")
    return natural_key_of(receipt_id), UUID(redemption_id), content_hash


def _share(text: str) -> tuple[UUID, int]:
    redemption_id, _, position = text.partition("/")
    return UUID(redemption_id), read_number(position)


def _use(text: str) -> tuple[bytes, str]:
    receipt_id, _, privilege_id = text.partition("/")
    return natural_key_of(receipt_id), privilege_id
