"""A member takes a reward."""

from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from asyncpg import UniqueViolationError

from services.redemption.credentials.voucher_codes import KeptCode
from services.redemption.domain.errors import UnknownMemberError
from services.redemption.domain.gifting import MergeUnderWayError
from services.redemption.domain.rewards.entitlement import Giver, RewardReason, RewardRefusedError, require_entitled
from services.redemption.domain.rewards.errors import UnknownRewardError, UnknownVoucherError, VoucherIdTakenError
from services.redemption.domain.rewards.reward import Reward, RewardTerms
from services.redemption.domain.rewards.voucher import Voucher, VoucherState
from services.redemption.programme import Programme
from services.redemption.repository import merges, partner_funds, projections, rewards, vouchers
from services.redemption.use_cases.reward_messages import issued_message, reserved_message
from shared import ledger, outbox
from shared.database import Transaction, read_to
from shared.events.catalogue import MEMBERS
from shared.ledger import Balances, Basket, Refused, Reserve

_BY_LEDGER: dict[str, RewardReason] = {"insufficient_points": "insufficient_points", "too_many_lots": "too_many_lots"}


@dataclass(frozen=True, slots=True)
class RewardWish:
    """What a client asks for, who vouches for the member and made the voucher's id. ``code`` is what it gets.
    ``is_reserved``: only until somebody confirms it.
    """

    voucher_id: UUID
    reward_id: str
    member_id: UUID
    client_id: str
    code: KeptCode
    is_reserved: bool = False


@dataclass(frozen=True, slots=True)
class Issued:
    """The member has the voucher, now or by the same request before. ``balance`` is the member's by now."""

    voucher: Voucher
    sealed_code: str | None
    balance: Balances
    is_repeat: bool = False


async def issue_reward(
    transaction: Transaction, wish: RewardWish, programme: Programme, reserved_for: timedelta
) -> Issued:
    """Give a member one piece of a reward and reserve its points, or say why not. One that costs money, or of which it
    is asked, is reserved first, for so long.

    The voucher's row is claimed by its id first; then the member is locked, then a piece is taken, then the points are
    reserved. Row, piece, points and event are one commit. A voucher that was issued before changes nothing.

    Raises:
        RewardRefusedError, UnknownRewardError, UnknownMemberError, VoucherIdTakenError: the transaction must be rolled
            back; nothing was changed, and the id is free.
        FactsBehindError, MergeUnderWayError: the same; asked again a moment later, it may go.
    """
    reward = await rewards.find_reward(transaction, wish.reward_id)
    if reward is None:
        raise UnknownRewardError
    member_id = await merges.find_survivor(transaction, wish.member_id)
    voucher = _voucher(transaction, wish, reward, member_id, programme, reserved_for)
    if not await vouchers.claim(transaction, voucher, *wish.code):
        return await _repeat(transaction, voucher)
    await _require_entitled(transaction, voucher, reward.terms, programme)
    sealed_code = await _take_piece(transaction, wish, reward.terms)
    balance = await _reserve(transaction, voucher, programme)
    tell = reserved_message if voucher.state is VoucherState.RESERVED else issued_message
    await outbox.record(transaction, [tell(transaction, voucher, reward.terms, balance)])
    return Issued(voucher, sealed_code, balance)


async def _take_piece(transaction: Transaction, wish: RewardWish, terms: RewardTerms) -> str:
    """The voucher's code, sealed: its own, or the one that the partner brought with the piece."""
    if terms.supply == "unlimited":
        return wish.code.sealed_code
    piece = await rewards.take_piece(transaction, wish.reward_id)
    if piece is None:
        raise RewardRefusedError("sold_out")
    if piece.code_hash is None or piece.sealed_code is None:
        return wish.code.sealed_code
    await vouchers.give_code(transaction, wish.voucher_id, piece.code_hash, piece.sealed_code)
    return piece.sealed_code


def _voucher(
    transaction: Transaction,
    wish: RewardWish,
    reward: Reward,
    member_id: UUID,
    programme: Programme,
    reserved_for: timedelta,
) -> Voucher:
    is_reserved = wish.is_reserved or reward.terms.money_minor > 0
    expires_at = transaction.now + reserved_for if is_reserved else reward.terms.expires_at(transaction.now)
    return Voucher(
        voucher_id=wish.voucher_id,
        reward_id=reward.reward_id,
        reward_version=reward.version,
        member_id=member_id,
        partner_id=reward.terms.partner_id,
        point_type=reward.terms.point_type or programme.point_type,
        points=reward.terms.points,
        state=VoucherState.RESERVED if is_reserved else VoucherState.ISSUED,
        issued_at=transaction.now,
        expires_at=expires_at,
        client_id=wish.client_id,
        money_minor=reward.terms.money_minor,
    )


async def _repeat(transaction: Transaction, asked: Voucher) -> Issued:
    found = await vouchers.find(transaction, asked.voucher_id)
    if found is None:
        raise AssertionError("unreachable: vouchers stay")
    owner_id = await merges.find_survivor(transaction, found.member_id)
    is_same = (found.reward_id, owner_id, found.client_id) == (asked.reward_id, asked.member_id, asked.client_id)
    if not is_same:
        raise VoucherIdTakenError
    balances = await ledger.load_balances(transaction, [owner_id], found.point_type)
    sealed_code = await vouchers.find_sealed_code(transaction, found.voucher_id)
    return Issued(found, sealed_code, balances[owner_id], is_repeat=True)


async def confirm_voucher(transaction: Transaction, voucher_id: UUID, paid_minor: int) -> Issued:
    """Issue what was reserved, now that what it costs was paid. A voucher that is issued already stays as it is.

    Raises:
        UnknownVoucherError, OtherAmountError, VoucherCancelledError, VoucherExpiredError: nothing was changed.
    """
    voucher = await vouchers.lock(transaction, voucher_id)
    if voucher is None:
        raise UnknownVoucherError
    terms = await rewards.find_terms(transaction, voucher.reward_id, voucher.reward_version)
    await projections.lock_known_members(transaction, [voucher.member_id])  # whose events are told in order
    confirmed = voucher.confirmed(paid_minor, transaction.now, terms.expires_at(transaction.now))
    owner_id = await merges.find_survivor(transaction, voucher.member_id)
    balance = (await ledger.load_balances(transaction, [owner_id], voucher.point_type))[owner_id]
    sealed_code = await vouchers.find_sealed_code(transaction, voucher_id)
    if confirmed is voucher:
        return Issued(voucher, sealed_code, balance, is_repeat=True)
    await vouchers.save(transaction, [confirmed])
    await outbox.record(transaction, [issued_message(transaction, confirmed, terms, balance)])
    return Issued(confirmed, sealed_code, balance)


async def _require_entitled(
    transaction: Transaction, voucher: Voucher, terms: RewardTerms, programme: Programme
) -> None:
    """Lock the member, and judge what is committed of the member and of the partner by then."""
    asker = await vouchers.lock_asker(transaction, voucher.member_id)
    if asker is None:
        raise UnknownMemberError
    if terms.per_member_max is not None:
        since = terms.counts_since(transaction.now)
        asker = replace(asker, taken=await vouchers.count_taken(transaction, voucher, since))
    today = transaction.now.astimezone(programme.zone).date()
    giver = Giver(
        await vouchers.find_standing(transaction, voucher.partner_id, today),
        await partner_funds.find_funds(transaction, voucher.partner_id, voucher.point_type),
    )
    require_entitled(terms, asker, giver, transaction.now)
    if voucher.points > programme.fresh_facts.points_max:
        read = await read_to.load(transaction, MEMBERS.topic, programme.topic_partitions)
        programme.fresh_facts.require(voucher.points, read, transaction.now)


async def _reserve(transaction: Transaction, voucher: Voucher, programme: Programme) -> Balances:
    basket = Basket(voucher.partner_id, transaction.now.astimezone(programme.zone).date())
    reserve = Reserve(
        voucher.member_id, voucher.point_type, voucher.reference, voucher.points, voucher.voucher_id, basket
    )
    try:
        [outcome] = await ledger.post(transaction, [reserve])
    except UniqueViolationError as error:
        if not ledger.is_hold_taken(error):
            raise
        raise VoucherIdTakenError from None  # by a redemption: no other voucher bears the id
    if outcome.command != reserve:  # another member answers for this one, whose row is not locked and not counted
        raise MergeUnderWayError
    if isinstance(outcome, Refused):
        if outcome.reason not in _BY_LEDGER:
            raise RuntimeError(f"the ledger refused to reserve: {outcome.reason}")
        if outcome.balance.debt:
            raise RewardRefusedError("debt_outstanding")
        usable = await ledger.load_usable(transaction, [voucher.member_id], voucher.point_type)
        available = sum(one.available for one in usable if one.pays_for(basket))
        raise RewardRefusedError(_BY_LEDGER[outcome.reason], available=available)
    return outcome.balance
