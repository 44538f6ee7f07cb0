"""How what a member has came about: the statement, page by page, as each reader is shown it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from services.redemption.domain.errors import UnknownMemberError
from services.redemption.domain.statement import Checkout, Line, Movement, Names, fold_transfers, write_line
from services.redemption.repository import households, places, projections
from services.redemption.repository import statement as repository
from services.redemption.use_cases.visibility import Viewer
from shared import ledger
from shared.database import Transaction
from shared.ledger import StatementLine
from shared.ledger.legs import Legs
from shared.point_types import Unit

TRANSFERS_PER_READ = 200
READS_PER_PAGE_MAX = 10
# What comes back from a hold may go on at once, in a transfer that bears the purchase's key and no hold.
_PASSED_ON = frozenset({"clear_debt", "merge"})


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


async def read_statement(
    transaction: Transaction,
    viewer: Viewer,
    member_id: UUID,
    unit: Unit,
    position: StatementPosition | None,
    lines_max: int,
) -> Statement:
    """One page of a member's statement of one point type. The programme's clients see every line with the running
    available balance; a partner's client sees its own partner's lines, without it, and its pages may be shorter than
    ``lines_max``. Members who were merged have one statement, under either id.

    Where points were lent to another member of the household, the line names that purchase if the other one shows it.

    Raises:
        UnknownMemberError: the registry has not told of this member, or has erased them.
    """
    shown = await find_shown(transaction, member_id)
    return await read_page(transaction, Lens(viewer, shown), member_id, unit, position, lines_max)


@dataclass(frozen=True, slots=True)
class Lens:
    """What a reader is shown of a statement. ``shown`` are those whose purchases the reader may see.

    ``only``: another member reads it, who is shown lines of these purposes, and no balance.
    """

    viewer: Viewer
    shown: Collection[UUID]
    only: Collection[Legs] | None = None

    @property
    def shows_balance(self) -> bool:
        """Whether lines bear the balance just after them."""
        return self.viewer.partner_id is None and self.only is None

    def shows(self, movement: Movement, names: Names) -> bool:
        """Whether this line is the reader's to see."""
        if self.only is not None and movement.legs not in self.only:
            return False
        return self.viewer.partner_id is None or self.viewer.sees(names.partner_of(movement))


async def find_shown(transaction: Transaction, reader_id: UUID) -> tuple[UUID, ...]:
    """Whose purchases a member may see: its own, and those that others in its household show."""
    found = await households.find_spender(transaction, reader_id)
    if found is None:
        return (reader_id,)
    household = None
    if found.household_id is not None:
        household = await households.find_household(transaction, found.household_id)
    return (found.member_id, *(() if household is None else household.shows_to(found.member_id)))


async def read_page(
    transaction: Transaction,
    lens: Lens,
    member_id: UUID,
    unit: Unit,
    position: StatementPosition | None,
    lines_max: int,
) -> Statement:
    """One page of a member's statement of one point type, as the lens shows it.

    Raises:
        UnknownMemberError: the registry has not told of this member, or has erased them.
    """
    if not await projections.is_member(transaction, member_id):
        raise UnknownMemberError
    if position is None:
        newest_id, available = await repository.load_newest(transaction, member_id, unit.code)
        position = StatementPosition(newest_id + 1, available)
    transfers: list[StatementLine] = []
    checkouts: dict[UUID, Checkout] = {}
    unshown_receipts: set[bytes] = set()
    names = Names(checkouts, {}, lens.shown, unshown_receipts, unit)
    movements: list[Movement] = []
    is_at_end = False
    for _ in range(READS_PER_PAGE_MAX):
        before = transfers[-1].transfer_id if transfers else position.before_transfer_id
        read = await ledger.load_statement(
            transaction, member_id, unit.code, before_transfer_id=before, lines_max=TRANSFERS_PER_READ
        )
        transfers += read
        checkouts |= await repository.load_checkouts(
            transaction, {line.hold_id for line in read if line.hold_id is not None} - checkouts.keys()
        )
        passed_on = {line.reference for line in read if line.hold_id is None and line.purpose in _PASSED_ON}
        unshown_receipts |= await repository.find_unshown_receipts(transaction, passed_on, lens.shown)
        folded = list(fold_transfers(transfers))
        is_at_end = len(read) < TRANSFERS_PER_READ
        # The oldest movement may go on in the next read.
        movements = folded if is_at_end else folded[:-1] or folded
        if is_at_end or sum(lens.shows(movement, names) for movement in movements) >= lines_max:
            break
    partners = await places.load_partner_names(
        transaction, {partner for movement in movements if (partner := names.partner_of(movement))}
    )
    return _page(movements, lens, replace(names, partners=partners), position, lines_max, is_at_end=is_at_end)


def _page(
    movements: Sequence[Movement],
    lens: Lens,
    names: Names,
    position: StatementPosition,
    lines_max: int,
    *,
    is_at_end: bool,
) -> Statement:
    lines: list[Line] = []
    for index, movement in enumerate(movements):
        if lens.shows(movement, names):
            lines.append(write_line(movement, names, position.available if lens.shows_balance else None))
        position = StatementPosition(movement.oldest_transfer_id, position.available - movement.change)
        if len(lines) == lines_max:
            is_last = is_at_end and index == len(movements) - 1
            return Statement(lines, None if is_last else position)
    return Statement(lines, None if is_at_end else position)
