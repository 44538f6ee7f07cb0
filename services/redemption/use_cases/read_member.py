"""What a member has, and how it came about."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from services.redemption.domain.errors import UnknownMemberError
from services.redemption.domain.statement import Line, Movement, fold_transfers, partner_of_movement, write_line
from services.redemption.repository import projections
from services.redemption.repository import statement as repository
from services.redemption.use_cases.visibility import Viewer
from shared import ledger
from shared.database import Transaction
from shared.ledger import Balances, StatementLine

TRANSFERS_PER_READ = 200
READS_PER_PAGE_MAX = 10


@dataclass(frozen=True, slots=True)
class StatementPosition:
    """Where a page starts: before this transfer, the available balance being this one just before the page's lines."""

    before_transfer_id: int
    available: int


@dataclass(frozen=True, slots=True)
class Statement:
    """One page of lines, newest first; ``next_position`` is None at the beginning of the member's history."""

    lines: list[Line]
    next_position: StatementPosition | None


async def read_balances(transaction: Transaction, member_id: UUID, point_type: str) -> tuple[UUID, dict[str, Balances]]:
    """A member's balances by point type, as last committed; the programme's type is always there.

    Also whose they are: the survivor's, where the member was merged away.

    Raises:
        UnknownMemberError: the registry has not told of this member, or has erased him.
    """
    if not await projections.is_member(transaction, member_id):
        raise UnknownMemberError
    owner_id = (await ledger.find_survivors(transaction, [member_id])).get(member_id, member_id)
    return owner_id, {point_type: Balances()} | await repository.load_balances_by_type(transaction, owner_id)


async def read_statement(
    transaction: Transaction,
    viewer: Viewer,
    member_id: UUID,
    point_type: str,
    position: StatementPosition | None,
    lines_max: int,
) -> Statement:
    """One page of a member's statement. The programme's clients see every line with the running available balance;
    a partner's client sees its own partner's lines, without it, and its pages may be shorter than ``lines_max``.
    Members who were merged have one statement, under either id.

    Raises:
        UnknownMemberError: the registry has not told of this member, or has erased him.
    """
    if not await projections.is_member(transaction, member_id):
        raise UnknownMemberError
    if position is None:
        newest_id, available = await repository.load_newest(transaction, member_id, point_type)
        position = StatementPosition(newest_id + 1, available)
    transfers: list[StatementLine] = []
    partners: dict[UUID, str] = {}
    movements: list[Movement] = []
    is_at_end = False
    for _ in range(READS_PER_PAGE_MAX):
        before = transfers[-1].transfer_id if transfers else position.before_transfer_id
        read = await ledger.load_statement(
            transaction, member_id, point_type, before_transfer_id=before, lines_max=TRANSFERS_PER_READ
        )
        transfers += read
        partners |= await repository.load_partners_of(
            transaction, {line.hold_id for line in read if line.hold_id is not None} - partners.keys()
        )
        folded = list(fold_transfers(transfers))
        is_at_end = len(read) < TRANSFERS_PER_READ
        # The oldest movement may go on in the next read.
        movements = folded if is_at_end else folded[:-1] or folded
        if is_at_end or sum(_is_shown(movement, viewer, partners) for movement in movements) >= lines_max:
            break
    names = await projections.load_partner_names(
        transaction, {partner for movement in movements if (partner := partner_of_movement(movement, partners))}
    )
    return _page(movements, viewer, partners, names, position, lines_max, is_at_end=is_at_end)


def _page(
    movements: Sequence[Movement],
    viewer: Viewer,
    partners: Mapping[UUID, str],
    names: Mapping[str, str],
    position: StatementPosition,
    lines_max: int,
    *,
    is_at_end: bool,
) -> Statement:
    lines: list[Line] = []
    for index, movement in enumerate(movements):
        if _is_shown(movement, viewer, partners):
            shown_available = position.available if viewer.partner_id is None else None
            lines.append(write_line(movement, partners, names, shown_available))
        position = StatementPosition(movement.oldest_transfer_id, position.available - movement.change)
        if len(lines) == lines_max:
            is_last = is_at_end and index == len(movements) - 1
            return Statement(lines, None if is_last else position)
    return Statement(lines, None if is_at_end else position)


def _is_shown(movement: Movement, viewer: Viewer, partners: Mapping[UUID, str]) -> bool:
    return viewer.partner_id is None or viewer.sees(partner_of_movement(movement, partners))
