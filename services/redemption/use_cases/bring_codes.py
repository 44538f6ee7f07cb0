"""A partner brings codes of its own for a reward."""

from collections.abc import Mapping

from services.redemption.credentials.voucher_codes import KeptCode
from services.redemption.domain.rewards.errors import NotImportedError, UnknownRewardError
from services.redemption.repository import brought_codes, rewards
from services.redemption.use_cases.keep_rewards import Stocked
from shared.database import Transaction


async def bring_codes(transaction: Transaction, reward_id: str, codes: Mapping[KeptCode, tuple[str, ...]]) -> Stocked:
    """Let a piece be had for each of these codes: as it is kept, with all hashes by which it may be known.

    A code that is a piece or a voucher of whatever reward already, under whatever key, is passed over: brought again it
    changes nothing.

    Raises:
        UnknownRewardError, NotImportedError: nothing was changed.
    """
    reward = await rewards.lock_reward(transaction, reward_id)
    if reward is None:
        raise UnknownRewardError
    if reward.terms.supply != "imported":
        raise NotImportedError
    known = await brought_codes.find_known(transaction, [one for hashes in codes.values() for one in hashes])
    fresh = [code for code, hashes in codes.items() if known.isdisjoint(hashes)]
    added = await brought_codes.insert(transaction, reward_id, fresh)
    return Stocked(await rewards.count_stock(transaction, reward_id), added)
