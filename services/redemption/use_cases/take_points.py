"""A decided capture as ledger commands, and the ledger's answer as what was taken. Both ways to capture share it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.redemption.domain.capturing import Take
from services.redemption.domain.redemption import Capture, Redemption
from shared import ledger
from shared.ledger import Balances, Command, Outcome, Posted


@dataclass(frozen=True, slots=True)
class Settled:
    """How redemption and capture stand after the ledger has posted, and the balance just after.

    ``issuers`` says who had issued the points that were taken.
    """

    redemption: Redemption
    capture: Capture
    balance: Balances
    issuers: tuple[tuple[str, int], ...]


def commands_of(take: Take) -> list[Command]:
    """What to ask of the ledger: from the hold first, then late from what is available."""
    commands: list[Command] = []
    point_type, hold_id = take.redemption.point_type, take.redemption.redemption_id
    if take.from_hold:
        commands.append(
            ledger.Capture(
                owner_id=take.member_id,
                point_type=point_type,
                reference=take.receipt_key,
                points=take.from_hold,
                hold_id=hold_id,
                partner_id=take.partner_id,
                keep_rest=take.keep_rest,
            )
        )
    if take.from_available:
        commands.append(
            ledger.SpendLate(
                owner_id=take.member_id,
                point_type=point_type,
                reference=take.receipt_key,
                points=take.from_available,
                partner_id=take.partner_id,
            )
        )
    return commands


def settle(take: Take, outcomes: Sequence[Outcome], now: datetime) -> Settled:
    """What was taken, from the outcomes of ``commands_of(take)``."""
    posted = accepted(outcomes)
    redemption, capture = take.settled(sum(outcome.shortfall for outcome in posted), now)
    points: dict[str, int] = {}
    for issuer, part in [pair for outcome in posted for pair in outcome.issuers]:
        points[issuer] = points.get(issuer, 0) + part
    return Settled(redemption, capture, posted[-1].balance, tuple(sorted(points.items())))


def accepted(outcomes: Sequence[Outcome]) -> list[Posted]:
    """The outcomes of commands that the ledger cannot refuse while it agrees with the redemptions' rows.

    Raises:
        RuntimeError: it does not agree; the transaction must be rolled back.
    """
    refused = [outcome for outcome in outcomes if not isinstance(outcome, Posted)]
    if refused:
        raise RuntimeError(f"ledger and redemptions disagree about a hold: {refused[0].reason}")
    return [outcome for outcome in outcomes if isinstance(outcome, Posted)]
