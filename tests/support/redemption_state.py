"""How a life stands on the database, and on paper, in the same words.

Everything is read by one statement, so that lives are cheap: the database has one life's rows alone.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, NamedTuple, TypeAlias

from shared.database import Database
from shared.events.catalogue import REDEMPTIONS
from shared.ledger import Balances, LotTerms
from shared.ledger.repository import terms_of
from tests.support.redemption_names import Names
from tests.support.redemption_paper import PaperRedemptions
from tests.support.redemption_paper_holds import Told
from tests.support.redemption_told import told_of

Row: TypeAlias = Sequence[Any]

_PARTS = {
    "redemptions": """
        select redemption_id, state, member_id, held_points, open_points, captured_points, uncovered_points
        from redemptions
    """,
    "captures": """
        select redemption_id, receipt_key, points, late_points, debt_points, uncovered_points, released_points,
            refunded_points
        from redemption_captures
    """,
    "exceptions": """
        select kind, redemption_id, receipt_key, content_hash, settled_at is null
        from redemption_exceptions
    """,
    "waiting": "select receipt_key, redemption_id from redemption_waiting_tenders",
    "vouchers": """
        select voucher_id, state, member_id, reward_id, expires_at, paid_minor, receipt_key
        from redemption_vouchers
    """,
    "pieces": """
        select reward_id, (
            select count(*) from redemption_reward_pieces as piece where piece.reward_id = reward.reward_id
        )
        from redemption_rewards as reward
        where document ->> 'supply' <> 'unlimited'
    """,
    "balances": "select owner_id, point_type, available, held, pending, debt from ledger_accounts",
    "lots": """
        select owner_id, point_type, issuer, available_from, expires_on, basis, funding, limits, award, remaining,
            reserved
        from ledger_lots join ledger_accounts using (account_id)
        where remaining > 0 or reserved > 0
    """,
    "holds": """
        select hold.hold_id, hold.state, part.lot_key, part.reserved, part.captured, part.refunded
        from ledger_holds as hold join ledger_hold_lots as part using (hold_id)
    """,
    "owed": "select owner_id, point_type, issuer, owed from ledger_debts join ledger_accounts using (account_id)"
    " where owed > 0",
}
# What was published since this was asked last is read with it, and gone.
_READ = "with gone as (delete from outbox returning body) select array(select body from gone) as told, " + ", ".join(
    f"array(select row(part.*) from ({part}) as part) as {name}" for name, part in _PARTS.items()
)
_TERMS = ("issuer", "available_from", "expires_on", "basis", "funding", "limits")


class Stands(NamedTuple):
    """Everything that can be compared."""

    redemptions: dict[int, tuple[Any, ...]]
    captures: dict[tuple[int, int], tuple[int, ...]]
    exceptions: dict[tuple[str, int, int, str], bool]
    waiting: set[tuple[int, int]]
    vouchers: dict[int, tuple[Any, ...]]
    pieces: dict[str, int]
    balances: dict[Any, Balances]
    lots: dict[Any, tuple[int, int]]
    holds: dict[Any, Any]
    owed: dict[Any, dict[str, int]]


class Seen(NamedTuple):
    """What was published since this was asked last, in no order, and how everything stands."""

    told: list[Told]
    stands: Stands


async def seen(database: Database, names: Names, today: date) -> Seen:
    """As the database has it."""
    async with database.statements() as raw:
        row = await raw.fetchrow(_READ)
    assert row is not None
    of = {redemption_id: number for number, redemption_id in enumerate(names.redemptions)}
    receipt = {key: number for number, key in enumerate(names.receipt_keys)}
    document = receipt | {key: -1 - number for number, key in enumerate(names.return_keys)}
    member = {member_id: number for number, member_id in enumerate(names.members)}
    voucher = {voucher_id: number for number, voucher_id in enumerate(names.vouchers)}
    balances, lots = _held(row["balances"], row["lots"], today)
    stands = Stands(
        {of[one[0]]: (one[1], member.get(one[2]), *tuple(one)[3:]) for one in row["redemptions"]},
        {(of[one[0]], receipt[one[1]]): tuple(one)[2:] for one in row["captures"]},
        {(one[0], of[one[1]], document[one[2]], names.document_of(one[3])): one[4] for one in row["exceptions"]},
        {(receipt[one[0]], of[one[1]]) for one in row["waiting"]},
        {
            voucher[one[0]]: (one[1], member[one[2]], *tuple(one)[3:6], one[6] and names.receipt_of(one[6]))
            for one in row["vouchers"]
        },
        dict(row["pieces"]),
        balances,
        lots,
        _holds(row["holds"]),
        _owed(row["owed"]),
    )
    return Seen(sorted((told_of(REDEMPTIONS.read(body), names) for body in row["told"]), key=repr), stands)


def _held(balances: Iterable[Row], lots: Iterable[Row], today: date) -> tuple[dict[Any, Balances], dict[Any, Any]]:
    """Whether anybody has taken it off yet or not: what has lapsed is nobody's."""
    found = {(owner_id, point_type): Balances(*amounts) for owner_id, point_type, *amounts in balances}
    there = {}
    for owner_id, point_type, *terms_and_award, remaining, reserved in lots:
        *parts, award = terms_and_award
        terms: LotTerms = terms_of(dict(zip(_TERMS, parts, strict=True)))  # type: ignore[arg-type]
        if award is None and terms.expires_on is not None and terms.expires_on <= today:
            balance = found[owner_id, point_type]
            found[owner_id, point_type] = balance._replace(available=balance.available - remaining)
            there[owner_id, point_type, (terms, award)] = (0, reserved)
        else:
            there[owner_id, point_type, (terms, award)] = (remaining, reserved)
    return found, {name: amounts for name, amounts in there.items() if any(amounts)}


def _holds(rows: Iterable[Row]) -> dict[Any, Any]:
    """State of the holds, with reserved, captured and refunded of their lots."""
    found: dict[Any, Any] = {}
    for hold_id, state, lot_key, *amounts in rows:
        _, parts = found.setdefault(hold_id, (state, {}))
        parts[lot_key] = tuple(amounts)
    return found


def _owed(rows: Iterable[Row]) -> dict[Any, dict[str, int]]:
    """By the issuers who wait for it."""
    owed: dict[Any, dict[str, int]] = {}
    for owner_id, point_type, issuer, points in rows:
        to = owed.setdefault((owner_id, point_type), {})
        to[issuer] = to.get(issuer, 0) + points
    return owed


def on_paper(paper: PaperRedemptions) -> Stands:
    """As it is on paper."""
    return Stands(
        {
            number: (
                one.state,
                one.member,
                one.held,
                paper.open_points(one),
                sum(took.points for took in one.took.values()),
                sum(took.uncovered for took in one.took.values()),
            )
            for number, one in paper.redemptions.items()
        },
        {
            (number, receipt): (took.points, took.late, took.owed, took.uncovered, took.released, took.back)
            for number, one in paper.redemptions.items()
            for receipt, took in one.took.items()
        },
        dict(paper.exceptions),
        set(paper.waiting),
        {
            number: (one.state, one.member, one.offer.name, one.ends, one.paid_minor, one.receipt)
            for number, one in paper.vouchers.items()
        },
        dict(paper.left),
        paper.ledger.balances(),
        paper.ledger.lots(),
        paper.ledger.holds(),
        paper.ledger.owed(),
    )
