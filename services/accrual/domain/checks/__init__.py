"""Makes checks of predicates: once a published version, so that a receipt costs calls and no look at the rules."""

from typing import TypeAlias, assert_never

from services.accrual.domain.checks import of_event, of_member, of_receipt, of_time
from services.accrual.domain.checks.check import Check, Unmet, all_of, any_of, first_unmet, not_of
from services.accrual.domain.checks.of_lines import line_check
from services.accrual.domain.judged_receipt import LineCheck
from services.accrual.domain.rules import predicates as said
from services.accrual.domain.rules import predicates_of_member as member_says
from services.accrual.domain.rules import predicates_of_receipt as receipt_says
from services.accrual.domain.rules.line_tests import LineTest
from services.accrual.domain.rules.predicates import Predicate
from services.accrual.domain.rules.predicates_of_attributes import (
    AttributeDate,
    AttributeIs,
    AttributeNumber,
    AttributeTest,
)
from services.accrual.domain.rules.predicates_of_event import PayloadIs, PayloadNumber, PayloadTest

_OfMember: TypeAlias = (
    member_says.FirstPurchase
    | member_says.NthPurchase
    | member_says.SpendIs
    | member_says.DaysSincePurchase
    | member_says.TierIs
    | member_says.InHousehold
    | member_says.InSegment
    | member_says.InCampaign
    | AttributeTest
    | PayloadTest
)
_OfTime: TypeAlias = (
    member_says.WeekdayIs
    | member_says.HoursAre
    | member_says.DatesAre
    | member_says.BirthdayNear
    | member_says.EnrolledFor
)
_OfDocument: TypeAlias = (
    receipt_says.PartnerIs
    | receipt_says.StoreIs
    | receipt_says.StoreGroupIs
    | receipt_says.ChannelIs
    | receipt_says.PaidBy
    | receipt_says.HasCoupon
)

__all__ = ["Check", "CheckMaker", "Unmet", "first_unmet"]


class CheckMaker:
    """Makes the checks of one rule set. Equal line tests become one check, whose lines a receipt finds once."""

    def __init__(self) -> None:
        self._of_lines: dict[LineTest, LineCheck] = {}

    def lines(self, test: LineTest | None) -> LineCheck | None:
        """The check of a line test; None means every line."""
        if test is None:
            return None
        made = self._of_lines.get(test)
        if made is None:
            made = self._of_lines[test] = line_check(test)
        return made

    def receipt(self, predicate: Predicate) -> Check:
        """The check of a predicate, with all below it."""
        match predicate:
            case said.AllOf(of=inner):
                return all_of(tuple(self.receipt(one) for one in inner))
            case said.AnyOf(of=inner):
                return any_of(tuple(self.receipt(one) for one in inner))
            case said.NotOf(of=only):
                return not_of(self.receipt(only))
            case receipt_says.Contains():
                return of_receipt.contains(predicate, self.lines)
            case receipt_says.AmountIs():
                return of_receipt.amount(predicate, self.lines)
            case receipt_says.QuantityIs():
                return of_receipt.quantity(predicate, self.lines)
            case receipt_says.BasketSizeIs():
                return of_receipt.basket_size(predicate, self.lines)
            case receipt_says.Bundle():
                return of_receipt.bundle(predicate, self.lines)
            case _:
                return _of_document(predicate)


def _of_document(predicate: _OfDocument | _OfTime | _OfMember) -> Check:
    match predicate:
        case receipt_says.PartnerIs():
            return of_receipt.partner(predicate)
        case receipt_says.StoreIs():
            return of_receipt.store(predicate)
        case receipt_says.StoreGroupIs():
            return of_receipt.store_group(predicate)
        case receipt_says.ChannelIs():
            return of_receipt.channel(predicate)
        case receipt_says.PaidBy():
            return of_receipt.paid_by(predicate)
        case receipt_says.HasCoupon():
            return of_receipt.coupon(predicate)
        case _:
            return _of_time(predicate)


def _of_time(predicate: _OfTime | _OfMember) -> Check:
    match predicate:
        case member_says.WeekdayIs():
            return of_time.weekday(predicate)
        case member_says.HoursAre():
            return of_time.hours(predicate)
        case member_says.DatesAre():
            return of_time.dates(predicate)
        case member_says.BirthdayNear():
            return of_time.birthday(predicate)
        case member_says.EnrolledFor():
            return of_time.enrolled(predicate)
        case _:
            return _of_member(predicate)


def _of_member(predicate: _OfMember) -> Check:
    match predicate:
        case member_says.FirstPurchase():
            return of_member.first_purchase(predicate)
        case member_says.NthPurchase():
            return of_member.nth(predicate)
        case member_says.SpendIs():
            return of_member.spend(predicate)
        case member_says.DaysSincePurchase():
            return of_member.days_since_purchase(predicate)
        case member_says.TierIs():
            return of_member.tier(predicate)
        case member_says.InHousehold():
            return of_member.household()
        case member_says.InSegment() | member_says.InCampaign():
            return of_member.groups(predicate)
        case AttributeIs() | AttributeNumber() | AttributeDate():
            return of_member.attribute(predicate)
        case _:
            return _of_event(predicate)


def _of_event(predicate: PayloadTest) -> Check:
    match predicate:
        case PayloadIs():
            return of_event.payload(predicate)
        case PayloadNumber():
            return of_event.payload_number(predicate)
        case _:
            assert_never(predicate)
