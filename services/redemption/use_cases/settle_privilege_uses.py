"""What receipts, returns, voids and refusals say of privileges becomes uses that count, each once."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import NamedTuple, TypeAlias
from uuid import UUID

from services.redemption.domain.privileges.life import Privilege
from services.redemption.domain.privileges.limits import Tally, Total, is_limited_together, totals_of
from services.redemption.domain.privileges.usage import KeptUse, Left, Told, Use, left_of, objection_to
from services.redemption.repository import (
    merges,
    privilege_limits,
    privilege_uses,
    privileges,
    projections,
    receipts,
    voided_receipts,
)
from services.redemption.repository.privilege_limits import Reservation
from services.redemption.use_cases.privilege_messages import use_message
from shared import outbox
from shared.database import Transaction
from shared.database.errors import StartAgainError

_Key: TypeAlias = tuple[bytes, str]


class Change(NamedTuple):
    """A use before and after: None where it is new."""

    before: KeptUse | None
    after: KeptUse

    @property
    def outcome(self) -> str:
        """What became of it, for the metrics."""
        if self.before is None:
            return self.after.objection or "used"
        return "undone" if self.is_undoing else "named"

    @property
    def is_undoing(self) -> bool:
        """Whether another part of it is undone by now."""
        before = self.before
        return before is not None and (before.undone_minor, before.is_undone) != (
            self.after.undone_minor,
            self.after.is_undone,
        )


async def settle_privilege_uses(
    transaction: Transaction, told: Told, purchases_read_to: datetime | None
) -> list[Change]:
    """Count uses that receipts tell of, and undo what of them came back, was voided or was refused.

    A use is its receipt's and its privilege's, once for ever; what is undone follows from all that was read by then, in
    whatever order it came, and the same again changes nothing. A use is a fact: one that should not have been given
    counts all the same, with an objection. What a reservation promised has none. Locks the receipts, then members, then
    privileges whose uses are limited together, each in key order to the commit.

    Raises:
        StartAgainError: a document that concerns these came in between.
    """
    asked = told.keys
    if not asked:
        return []
    keys = await privilege_uses.find_concerned(transaction, asked)
    refused = await receipts.meet_receipts(transaction, keys)
    await privilege_uses.keep_goods_back(transaction, told.back)
    await voided_receipts.keep_totals(transaction, told.totals_minor)
    if await privilege_uses.find_concerned(transaction, asked) != keys:
        raise StartAgainError("a return or a void of these receipts came meanwhile")
    found = await privilege_uses.load_uses(transaction, keys)
    kept = {_key(one.use): one for one in found if one.use.content_hash not in refused[one.use.receipt_key]}
    fresh = _fresh(told.uses, kept, refused)
    if not fresh and not found:
        return []
    terms = await privileges.load(transaction, {use.privilege_id for use in [*fresh, *(one.use for one in found)]})
    counted, ended = await _count(transaction, fresh, terms, purchases_read_to)
    changes = await _changes(transaction, found, counted, told, refused)
    await _save(transaction, changes, terms, told)
    if ended:
        await privilege_limits.use_up(transaction, ended)
    return changes


def _key(use: Use) -> _Key:
    return use.receipt_key, use.privilege_id


def _fresh(uses: Sequence[Use], kept: Mapping[_Key, KeptUse], refused: Mapping[bytes, frozenset[str]]) -> list[Use]:
    """Uses that nobody has counted, of documents that stand; of several documents of one key the first."""
    fresh: dict[_Key, Use] = {}
    for use in uses:
        if use.content_hash not in refused[use.receipt_key] and _key(use) not in kept:
            fresh.setdefault(_key(use), use)
    return list(fresh.values())


async def _count(
    transaction: Transaction,
    fresh: Sequence[Use],
    terms: Mapping[str, Privilege],
    purchases_read_to: datetime | None,
) -> tuple[list[KeptUse], list[Reservation]]:
    """New uses with the day on which each counts, and what is against it, and the reservations that end with them. What
    was promised is counted first."""
    survivors = {
        member_id: await merges.find_survivor(transaction, member_id)
        for member_id in {use.member_id for use in fresh if use.member_id is not None}
    }
    await projections.lock_members(transaction, {*survivors, *survivors.values()})
    together = {name for name, one in terms.items() if is_limited_together(one.terms)}
    if together:
        await privilege_limits.lock_privileges(transaction, together)
    if not fresh:
        return [], []
    ended = await _ended_by(transaction, fresh, survivors)
    promised = {_promise(one): one for one in ended if purchases_read_to is None or one.expires_at > purchases_read_to}
    counted = [_counted(transaction, use, promised.pop(_promise(use), None)) for use in fresh]
    limited = {use.privilege_id for use in fresh if use.privilege_id in terms and terms[use.privilege_id].terms.limits}
    tally = Tally({}, {}, {})
    if limited:
        tally = await privilege_limits.load_tally(
            transaction,
            set(survivors.values()),
            limited,
            {one.counted_on for one, _ in counted},
            purchases_read_to=purchases_read_to,
            own_sessions={(one.session_id, one.partner_id) for one in ended},
        )
    ordered = sorted(counted, key=lambda one: not one[1])
    judged = [_judged(transaction, one, terms, tally, survivors, is_promised=promise) for one, promise in ordered]
    return judged, ended


async def _ended_by(
    transaction: Transaction, fresh: Sequence[Use], survivors: Mapping[UUID, UUID]
) -> list[Reservation]:
    """What was reserved for the conversations that these receipts carry, at their partners and for their members. Of a
    receipt that names nobody yet, the conversation says whose it is."""
    sessions = {use.session_id for use in fresh if use.session_id is not None}
    reserved = await privilege_limits.find_reserved(transaction, sessions) if sessions else []
    carried = {
        (use.session_id, use.partner_id, None if use.member_id is None else survivors[use.member_id]) for use in fresh
    }
    ended = []
    for one in reserved:
        session = one.session_id, one.partner_id
        owner_id = survivors.get(one.member_id) or await merges.find_survivor(transaction, one.member_id)
        if (*session, owner_id) in carried or (*session, None) in carried:
            ended.append(one)
    return ended


def _promise(one: Use | Reservation) -> tuple[UUID | None, str, str]:
    return one.session_id, one.privilege_id, one.partner_id


def _counted(transaction: Transaction, use: Use, reservation: Reservation | None) -> tuple[KeptUse, bool]:
    day = use.occurred_at.astimezone(transaction.zone or UTC).date()
    return KeptUse(use, day if reservation is None else reservation.counted_on), reservation is not None


def _judged(
    transaction: Transaction,
    kept: KeptUse,
    terms: Mapping[str, Privilege],
    tally: Tally,
    survivors: Mapping[UUID, UUID],
    *,
    is_promised: bool,
) -> KeptUse:
    use, privilege = kept.use, terms.get(kept.use.privilege_id)
    member_id = None if use.member_id is None else survivors[use.member_id]
    is_exceeded = False
    if privilege is not None:
        is_exceeded = tally.left(privilege.terms, member_id, kept.counted_on) == 0
        tally.add(privilege.terms, member_id, kept.counted_on)
    day = use.occurred_at.astimezone(transaction.zone or UTC).date()
    objection = objection_to(use, privilege, day, is_promised=is_promised, is_exceeded=is_exceeded)
    return replace(kept, objection=objection)


async def _changes(
    transaction: Transaction,
    found: Sequence[KeptUse],
    counted: Sequence[KeptUse],
    told: Told,
    refused: Mapping[bytes, frozenset[str]],
) -> list[Change]:
    """Every use that is new, or stands otherwise than it did."""
    before = {_key(one.use): one for one in found}
    now = before | {_key(one.use): one for one in counted}  # one of a refused document gives way
    members = {(_key(use), use.content_hash): use.member_id for use in told.uses}
    stands = await load_standing(transaction, {receipt_key for receipt_key, _ in now})
    changes = []
    for key, one in sorted(now.items()):
        use, was = one.use, before.get(key)
        if use.member_id is None:
            use = replace(use, member_id=members.get((key, use.content_hash)))
        undone = stands.left(use, is_refused=use.content_hash in refused[use.receipt_key])
        after = replace(one, use=use, undone_minor=undone.undone_minor, is_undone=undone.is_undone)
        if was is None:
            changes.append(Change(None, after))
        elif replace(after, version=was.version) != was:
            changes.append(Change(was, replace(after, version=was.version + 1)))
    return changes


class Standing(NamedTuple):
    """Which of some receipts were voided, and what came back of each by line."""

    voided: frozenset[bytes]
    returned: Mapping[bytes, Mapping[int, int]]

    def left(self, use: Use, *, is_refused: bool) -> Left:
        is_void = is_refused or use.receipt_key in self.voided
        return left_of(use, self.returned[use.receipt_key], is_void=is_void)


async def load_standing(transaction: Transaction, receipt_keys: set[bytes]) -> Standing:
    """What was voided and came back of receipts that are locked, as far as it was read."""
    back = await privilege_uses.load_goods_back(transaction, receipt_keys)
    documents = receipt_keys | {one.return_key for returns in back.values() for one in returns}
    voids = await voided_receipts.find_standing(transaction, documents)
    voided = frozenset(key for key, void in voids.items() if void is not None)
    returned: dict[bytes, Counter[int]] = {}
    for key, returns in back.items():
        returned[key] = Counter()
        for one in returns:
            if one.return_key not in voided:
                returned[key].update(one.quantities)
    return Standing(voided, returned)


async def _save(
    transaction: Transaction, changes: Sequence[Change], privileges_used: Mapping[str, Privilege], told: Told
) -> None:
    if not changes:
        return
    terms = {name: one.terms for name, one in privileges_used.items()}
    totals: Counter[Total] = Counter()
    for change in changes:
        for one, by in ((change.before, -1), (change.after, 1)):
            if one is not None and not one.is_undone and one.objection != "unknown_privilege":
                for total in totals_of(terms[one.use.privilege_id], one.counted_on):
                    totals[total] += by
    await privilege_uses.save_uses(transaction, [change.after for change in changes])
    await privilege_limits.add_to_totals(transaction, totals)
    await outbox.record(
        transaction,
        [
            use_message(
                transaction,
                change.after,
                terms.get(change.after.use.privilege_id),
                told.traceparents.get(change.after.use.receipt_key),
                is_undoing=change.is_undoing,
            )
            for change in changes
        ],
    )
