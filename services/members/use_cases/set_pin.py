"""Give a member a PIN, another one, or none."""

from dataclasses import dataclass
from uuid import UUID

from services.members.domain.errors import MemberNotFoundError
from services.members.domain.pins import (
    CurrentPinNeededError,
    NoPinError,
    Pin,
    PinLockedError,
    PinSetMeanwhileError,
    WrongPinError,
    judge_pin,
)
from services.members.domain.registry import Member
from services.members.domain.statuses import judge_open
from services.members.repository import pins, registry
from services.members.sealing.master_keys import MasterKeys
from services.members.use_cases.open_key import open_key
from services.members.use_cases.prove_pin import FIELD_SET, PinProver
from services.members.use_cases.tell_pin_change import tell_pin_change
from shared.database import Database, Transaction


@dataclass(frozen=True, slots=True, repr=False)
class PinWish:
    """Which PIN a member is to have, the present one, where there is one, and which client asks for it."""

    member_id: UUID
    pin: str
    current: str | None
    asked_by: str


async def set_pin(database: Database, prover: PinProver, master_keys: MasterKeys, wish: PinWish) -> Pin:
    """Set the first PIN, or another one in the place of the one that is proven; the PIN as it stands then.

    Idempotent: whoever asks for the PIN that there is gets it as it stands, so that a request may be sent twice. A PIN
    that follows another one counts from when that one did. What was proven is what is replaced, or nothing is. The
    member is told, once a change.

    Raises:
        MemberNotFoundError, MemberGoneError, TrivialPinError, CurrentPinNeededError, NoPinError, WrongPinError,
        PinLockedError, PinSetMeanwhileError: nothing is set. HasherBusyError: nothing was counted, either.
    """
    async with prover.admitted():
        present = await database.run(lambda transaction: _judge(transaction, wish))
        known: Pin | None = None
        if present is not None:
            known = await _prove(prover, wish)
            if known is None:
                return present
        elif wish.current is not None:
            raise NoPinError("the member has no PIN: to set one, leave current_pin out")
        pin_hash = await prover.hash(wish.pin)

        async def save(transaction: Transaction) -> Pin:
            member = await _lock(transaction, wish.member_id)
            key = await open_key(transaction, member.member_id, master_keys)
            rests_until = transaction.now + prover.rules.rests_for
            pin = Pin(
                member.member_id,
                key.seal(FIELD_SET, pin_hash),
                transaction.now,
                rests_until if known is None else known.counts_from,
            )
            is_saved = await (
                pins.insert(transaction, pin) if known is None else pins.replace_with(transaction, known, pin)
            )
            if not is_saved:
                raise PinSetMeanwhileError("the PIN was set, changed or reset meanwhile: begin again")
            await tell_pin_change(transaction, pin.member_id, "set" if known is None else "changed", wish.asked_by)
            return pin

        return await database.run(save)


async def reset_pin(transaction: Transaction, member_id: UUID, reset_by: str) -> bool:
    """Take a member's PIN away, and all that was counted against it, and tell the member; False where there was none.

    Raises:
        MemberNotFoundError, MemberMergedError
    """
    member = await registry.lock_member(transaction, member_id)
    if member is None:
        raise MemberNotFoundError("there is no such member")
    was_set = await pins.delete(transaction, member_id)
    if was_set:
        await tell_pin_change(transaction, member_id, "reset", reset_by)
    return was_set


async def _judge(transaction: Transaction, wish: PinWish) -> Pin | None:
    member = await _lock(transaction, wish.member_id)
    judge_pin(wish.pin, member.birth_month, member.birth_day)
    return await pins.find(transaction, wish.member_id)


async def _lock(transaction: Transaction, member_id: UUID) -> Member:
    member = await registry.lock_member(transaction, member_id)
    if member is None:
        raise MemberNotFoundError("there is no such member")
    judge_open(member.status)
    return member


async def _prove(prover: PinProver, wish: PinWish) -> Pin | None:
    """The PIN that was proven and is to be replaced; None where the member has the one that is asked for already."""
    candidates = [wish.pin] if wish.current is None else [wish.current, wish.pin]
    tried = await prover.prove(wish.member_id, candidates, wish.asked_by, must_count=False)
    if tried.outcome == "locked" and tried.locked_until is not None:
        raise PinLockedError(tried.locked_until)
    if tried.outcome == "wrong" and wish.current is None:
        raise CurrentPinNeededError("the member has a PIN already: name it in current_pin, or have it reset")
    if tried.outcome == "wrong":
        raise WrongPinError(tried.tries_left or 0)
    if tried.outcome != "verified" or tried.pin is None:
        raise PinSetMeanwhileError("the PIN was reset meanwhile: begin again")
    is_asked_for = candidates[tried.matched or 0] == wish.pin
    return None if is_asked_for else tried.pin
