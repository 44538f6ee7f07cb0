"""What the programme offers for points: made, changed, and how many pieces there are."""

from dataclasses import dataclass, replace

from services.redemption.domain.rewards.errors import (
    NoPiecesError,
    RewardExistsError,
    SupplyFixedError,
    UnknownRewardError,
)
from services.redemption.domain.rewards.reward import Reward, RewardTerms, Supply
from services.redemption.repository import places, rewards
from services.redemption.repository.rewards import Stock
from shared.database import Transaction
from shared.web import require_version


class UnknownPartnerError(Exception):
    """A reward names a partner of whom the coalition has not told."""


@dataclass(frozen=True, slots=True)
class Stocked:
    """A reward's pieces once some were added or taken away, and how many."""

    stock: Stock
    changed: int


async def make_reward(transaction: Transaction, reward_id: str, terms: RewardTerms, author: str) -> Reward:
    """Offer something new. Made again with the same words it stays as it is.

    Raises:
        RewardExistsError, UnknownPartnerError: nothing was changed.
    """
    await _require_partner(transaction, terms)
    reward = Reward(reward_id, 1, terms, transaction.now, author)
    if await rewards.insert_reward(transaction, reward):
        return reward
    found = await rewards.find_reward(transaction, reward_id)
    if found is None or found.terms != terms:
        raise RewardExistsError
    return found


async def change_reward(
    transaction: Transaction, reward_id: str, terms: RewardTerms, expected_version: int, author: str
) -> Reward:
    """Say anew all that is said of a reward. Vouchers that are issued keep what it said then; words that say the same
    change nothing.

    Raises:
        UnknownRewardError, VersionChangedError, SupplyFixedError: nothing was changed.
    """
    reward = await rewards.lock_reward(transaction, reward_id)
    if reward is None:
        raise UnknownRewardError
    require_version(expected_version, reward.version)
    if _fixed(reward.terms) != _fixed(terms):
        raise SupplyFixedError
    if reward.terms == terms:
        return reward
    changed = replace(reward, version=reward.version + 1, terms=terms, changed_at=transaction.now, author=author)
    await rewards.update_reward(transaction, changed)
    return changed


async def add_pieces(transaction: Transaction, reward_id: str, count: int) -> Stocked:
    """Let so many pieces more be had.

    Raises:
        UnknownRewardError, NoPiecesError: nothing was changed.
    """
    await _lock_limited(transaction, reward_id, "pieces")
    await rewards.add_pieces(transaction, reward_id, count)
    return Stocked(await rewards.count_stock(transaction, reward_id), count)


async def take_away_pieces(transaction: Transaction, reward_id: str, count: int) -> Stocked:
    """Let so many pieces less be had, as far as they are left: what members have taken they keep.

    Raises:
        UnknownRewardError, NoPiecesError: nothing was changed.
    """
    await _lock_limited(transaction, reward_id, "pieces", "imported")
    gone = await rewards.take_away_pieces(transaction, reward_id, count)
    return Stocked(await rewards.count_stock(transaction, reward_id), gone)


async def _lock_limited(transaction: Transaction, reward_id: str, *supplies: Supply) -> None:
    reward = await rewards.lock_reward(transaction, reward_id)
    if reward is None:
        raise UnknownRewardError
    if reward.terms.supply not in supplies:
        raise NoPiecesError


async def _require_partner(transaction: Transaction, terms: RewardTerms) -> None:
    if terms.partner_id not in await places.find_known_partners(transaction, [terms.partner_id]):
        raise UnknownPartnerError


def _fixed(terms: RewardTerms) -> tuple[object, ...]:
    """What pieces and vouchers were made by."""
    return terms.partner_id, terms.point_type, terms.supply
