"""Whether somebody knows a member's PIN."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

from services.members.domain.pins import Pin, PinLockedError, PinRules, TriedPin
from services.members.repository import pins
from services.members.sealing.master_keys import MasterKeys
from services.members.use_cases.open_key import open_key
from services.members.use_cases.tell_pin_change import tell_lock
from shared.database import Database, Transaction
from shared.secret_hasher import HASHES_WAITING_MAX, HasherBusyError, SecretHasher

# Each has two hashes made at most, and one at a time: none of those that are let in is turned away half done.
PROOFS_AT_ONCE_MAX = HASHES_WAITING_MAX // 2
FIELD_SET = "pin"


@dataclass(frozen=True, slots=True)
class _Taken:
    """A try that is counted, and what it is compared with."""

    pin: Pin
    pin_hash: str


class PinProver:
    """Compares PINs, beside the event loop and outside of every transaction, since that takes longer than one may
    idle."""

    def __init__(self, database: Database, master_keys: MasterKeys, hasher: SecretHasher, rules: PinRules) -> None:
        self.rules = rules
        self._database = database
        self._master_keys = master_keys
        self._hasher = hasher
        self._under_way = 0

    @asynccontextmanager
    async def admitted(self) -> AsyncIterator[None]:
        """Around everything that hashes a PIN.

        Raises:
            HasherBusyError: too many are under way; nothing was counted.
        """
        if self._under_way >= PROOFS_AT_ONCE_MAX:
            raise HasherBusyError("too many PINs are being checked: try again in a moment")
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1

    async def hash(self, pin: str) -> bytes:
        """The salted hash of a new one, to be sealed. Inside ``admitted``."""
        return (await self._hasher.hash(pin)).encode()

    async def prove(self, member_id: UUID, candidates: Sequence[str], tried_by: str, *, must_count: bool) -> TriedPin:
        """Try one PIN, or two of which either will do, as one try. Inside ``admitted``.

        The try is counted and committed first, under the PIN's lock, and forgiven once a right one is found: however
        many come at once, no more than ``tries_max`` are compared, and a process that ends in between has used one.
        ``must_count``: a PIN that still rests is not compared. Where the last one is wrong, the member is told that the
        PIN is locked.
        """
        taken = await self._database.run(
            lambda transaction: self._take_try(transaction, member_id, must_count=must_count)
        )
        if isinstance(taken, TriedPin):
            return taken
        for place, candidate in enumerate(candidates):
            if await self._hasher.verify(taken.pin_hash, candidate):
                await self._database.run(lambda transaction: pins.forgive(transaction, taken.pin))
                return TriedPin("verified", taken.pin, matched=place)
        if taken.pin.locked_until is not None:
            await self._database.run(lambda transaction: tell_lock(transaction, taken.pin, tried_by))
        left = taken.pin.tries_left(self.rules)
        return TriedPin("wrong", taken.pin, left, taken.pin.locked_until)

    async def _take_try(self, transaction: Transaction, member_id: UUID, *, must_count: bool) -> _Taken | TriedPin:
        pin = await pins.lock(transaction, member_id)
        if pin is None:
            return TriedPin("none")
        if must_count and pin.state(transaction.now) == "resting":
            return TriedPin("resting", pin)
        try:
            counted = pin.with_try_taken(self.rules, transaction.now)
        except PinLockedError as error:
            return TriedPin("locked", pin, 0, error.until)
        key = await open_key(transaction, pin.member_id, self._master_keys)
        await pins.save_try(transaction, counted)
        return _Taken(counted, key.open(FIELD_SET, pin.sealed).decode())
