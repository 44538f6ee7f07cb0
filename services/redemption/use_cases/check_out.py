"""All that a till wants to know before a basket is paid, in one answer. The sale is never stopped by it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, NamedTuple, TypeVar

from services.redemption.domain.checkout import Absent, Known
from services.redemption.domain.errors import IdentifierRevokedError, OtherSessionError, UnknownMemberError
from services.redemption.domain.receipt_message import Language, ToTell, receipt_message
from services.redemption.domain.standing import DECLINES
from services.redemption.gateways.basket_previews import BasketPreviews, BasketRefusedError, ToEarn
from services.redemption.gateways.member_names import MemberName, MemberNames
from services.redemption.programme import Programme
from services.redemption.repository import projections, quotes
from services.redemption.use_cases.check_privileges import Checked, NoPrivilegesError, check_privileges
from services.redemption.use_cases.checkout_parts import AbsentError, CheckoutParts
from services.redemption.use_cases.hold_points import Spender
from services.redemption.use_cases.quote_points import Asked, NotSpendingError, Quoted, quote_points
from shared.database import Database, Transaction
from shared.database.reads import Reads
from shared.money import format_money
from shared.qr_tokens import InvalidQrTokenError

T = TypeVar("T")

UNKNOWN_MEMBER = "unknown-member"
BLOCKED = "identifier-blocked"
# Who left, or was merged away before the merge was heard of, is nobody at a till.
_GONE = frozenset({"closed", "merged"})


@dataclass(frozen=True, slots=True)
class Sale:
    """What is at the till: who was shown, the goods, for us and in JSON's terms for accrual, and who sees the answer,
    with the member's name or without it."""

    shown: Spender
    asked: Asked
    basket: Mapping[str, Any] = field(repr=False)
    shown_to: str
    shows_name: bool

    def discounted(self, left_minor: Mapping[int, int]) -> "Sale":
        """The same goods at what is left to be paid of each line."""
        lines = [line.discounted(left_minor[line.line_id]) for line in self.asked.lines]
        told = [
            line
            | {
                "amount_minor": left_minor[line["line_id"]],
                "discount_minor": line["discount_minor"] + line["amount_minor"] - left_minor[line["line_id"]],
            }
            for line in self.basket["lines"]
        ]
        return replace(self, asked=replace(self.asked, lines=lines), basket={**self.basket, "lines": told})


@dataclass(frozen=True, slots=True)
class CheckedOut:
    """Every part that is there; of each other one ``absent`` says why."""

    member: Known | None
    name: MemberName | None
    privileges: Checked | None
    earn: ToEarn | None
    spend: Quoted | None
    message: str | None
    absent: list[Absent]


@dataclass(frozen=True, slots=True)
class CheckoutDesk:
    """One a process: what checkouts are answered with."""

    database: Database
    programme: Programme
    baskets: BasketPreviews
    names: MemberNames
    language: Language
    quote_valid_for: timedelta
    part_seconds_max: float

    async def check_out(self, sale: Sale) -> CheckedOut:
        """The parts, side by side; nothing is reserved, and nothing is kept but the quote.

        Never raises: a part that fails, is late or is decided against is absent, and named. Each has
        ``part_seconds_max``. Who is there and what privileges leave to be paid come first, since the others ask for
        it, so all is answered within twice that.
        """
        parts = CheckoutParts(self.part_seconds_max)
        seen = await parts.take(lambda: self._see(sale), "member", "privileges")
        member = None if seen is None else parts.decided("member", seen.member)
        privileges = None if seen is None else parts.decided("privileges", seen.privileges)
        paid = sale if privileges is None else sale.discounted(privileges.discounted.left_minor)
        name, earn, spend = await asyncio.gather(
            self._name(sale, member, parts),
            parts.take(lambda: self._earn(paid), "earn"),
            parts.take(lambda: self._quote(paid), "spend"),
        )
        message = receipt_message(self._to_tell(privileges, earn, spend), self.language)
        if message is None:
            parts.leave_out("message", "nothing-to-tell")
        return CheckedOut(member, name, privileges, earn, spend, message, parts.answered())

    async def _see(self, sale: Sale) -> "_Seen":
        async def work(transaction: Transaction) -> _Seen:
            reads = Reads(transaction, sharing_trips=True)
            member = reads.ask(_decided, lambda reading: _look_at_member(reading, sale, self.programme))
            privileges = reads.ask(_decided, lambda reading: _check_privileges(reading, sale, self.programme))
            await reads.answered()
            return _Seen(member.value, privileges.value)

        return await self.database.look(work)

    async def _earn(self, sale: Sale) -> ToEarn:
        try:
            return await self.baskets.preview(sale.basket)
        except BasketRefusedError as error:
            raise AbsentError(error.slug) from None

    async def _quote(self, sale: Sale) -> Quoted:
        async def work(transaction: Transaction) -> Quoted:
            return await quote_points(transaction, sale.shown, sale.asked, self.programme, self.quote_valid_for)

        with _absent_where_refused():
            return await self.database.run_raw(work)

    async def _name(self, sale: Sale, member: Known | None, parts: CheckoutParts) -> MemberName | None:
        """For whoever may see it. A name is of a member who is known."""
        if not sale.shows_name:
            parts.leave_out("name", "missing-scope")
            return None
        if member is None:
            parts.leave_out("name", parts.why_absent("member"))
            return None

        async def find() -> MemberName:
            found = await self.names.find(member.member_id, sale.shown_to)
            if found is None:
                raise AbsentError(UNKNOWN_MEMBER)
            return found

        return await parts.take(find, "name")

    def _to_tell(self, privileges: Checked | None, earn: ToEarn | None, spend: Quoted | None) -> ToTell:
        currency = self.programme.pricing.currency
        saved_minor = 0 if privileges is None else sum(given.amount_minor for given in privileges.discounted.given)
        amount = self.programme.point_types.unit_of(self.programme.point_type).amount
        earned, points = earn.points if earn is not None else None, spend.quote.points if spend is not None else 0
        value_minor = spend.quote.value_minor if spend is not None else 0
        return ToTell(
            earned=amount(earned) if earned else None,
            is_unregistered=earn is not None and earn.reason == "unknown_identifier",
            spendable=amount(points) if points else None,
            value=format_money(value_minor, currency),
            saved=format_money(saved_minor, currency) if saved_minor else None,
        )


class _Seen(NamedTuple):
    """Two parts that are read together."""

    member: Known | AbsentError
    privileges: Checked | AbsentError


async def _decided(transaction: Transaction, read: Callable[[Transaction], Awaitable[T]]) -> T | AbsentError:
    """What a read finds, or decides against: the other one is answered all the same."""
    try:
        return await read(transaction)
    except AbsentError as absent:
        return absent


async def _check_privileges(transaction: Transaction, sale: Sale, programme: Programme) -> Checked:
    with _absent_where_refused():
        return await check_privileges(transaction, sale.shown, sale.asked, programme)


async def _look_at_member(transaction: Transaction, sale: Sale, programme: Programme) -> Known:
    """Who was shown, where that is enough to be told anything of them."""
    shown = sale.shown
    if shown.presented.capability is not None and not shown.presented.capability.may_see_balance:
        raise AbsentError("identifier-may-not-see-balance")
    with _absent_where_refused():
        shown.presented.require_fresh(transaction.now)
    today = transaction.now.astimezone(programme.zone).date()
    found = await projections.find_spender(
        transaction, shown.member_id, shown.identifier_hashes, sale.asked.partner_id, today
    )
    if found is None:
        raise AbsentError(UNKNOWN_MEMBER)
    if found.is_identifier_blocked:
        raise AbsentError(BLOCKED)
    if found.status in _GONE:
        raise AbsentError(_slug(DECLINES[found.status] or found.status))
    since = await quotes.find_since(transaction, found.member_id)
    return Known(found.member_id, since.tier)


@contextmanager
def _absent_where_refused() -> Iterator[None]:
    """What would be refused by itself is an absent part here, for the same reason."""
    try:
        yield
    except (NotSpendingError, NoPrivilegesError) as error:
        raise AbsentError(_slug(error.reason)) from None
    except IdentifierRevokedError:
        raise AbsentError(BLOCKED) from None
    except UnknownMemberError:
        raise AbsentError(UNKNOWN_MEMBER) from None
    except OtherSessionError:
        raise AbsentError("other-session") from None
    except InvalidQrTokenError:
        raise AbsentError("qr-token-not-valid") from None


def _slug(reason: str) -> str:
    return reason.replace("_", "-")
