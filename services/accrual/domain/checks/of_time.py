"""Predicates over the receipt's time, on the clocks of the zone that each names."""

from datetime import date, timedelta

from services.accrual.domain.checks.check import Check
from services.accrual.domain.checks.of_receipt import range_words
from services.accrual.domain.judged_receipt import JudgedReceipt
from services.accrual.domain.rules.predicates_of_member import BirthdayNear, DatesAre, EnrolledFor, HoursAre, WeekdayIs

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def weekday(predicate: WeekdayIs) -> Check:
    """One of these days of the week."""
    days, zone = frozenset(predicate.weekdays), predicate.zone
    required = " or ".join(_WEEKDAYS[day - 1] for day in sorted(days))
    return Check(
        "weekday",
        lambda receipt: receipt.local(zone).isoweekday() in days,
        lambda receipt: (required, _WEEKDAYS[receipt.local(zone).weekday()]),
    )


def hours(predicate: HoursAre) -> Check:
    """Between these minutes of the day."""
    first, until, zone = predicate.from_minute, predicate.until_minute, predicate.zone
    required = f"from {_clock(first)} until {_clock(until)}"

    def minute(receipt: JudgedReceipt) -> int:
        local = receipt.local(zone)
        return local.hour * 60 + local.minute

    def holds(receipt: JudgedReceipt) -> bool:
        if first < until:
            return first <= minute(receipt) < until
        return not until <= minute(receipt) < first

    return Check("hours", holds, lambda receipt: (required, _clock(minute(receipt))))


def dates(predicate: DatesAre) -> Check:
    """Between these days, both included."""
    first, last, zone = predicate.from_date or date.min, predicate.until_date or date.max, predicate.zone
    if predicate.from_date is None:
        required = f"until {last}"
    else:
        required = f"from {first}" if predicate.until_date is None else f"from {first} until {last}"
    return Check(
        "date",
        lambda receipt: first <= receipt.local(zone).date() <= last,
        lambda receipt: (required, str(receipt.local(zone).date())),
    )


def birthday(predicate: BirthdayNear) -> Check:
    """At most so many days before or after the member's birthday."""
    required = f"{predicate.days_before} days before to {predicate.days_after} days after the birthday"

    def holds(receipt: JudgedReceipt) -> bool:
        near = receipt.facts.member.near_birthday
        return near is not None and near[predicate]

    def words(receipt: JudgedReceipt) -> tuple[str, str]:
        near = receipt.facts.member.near_birthday
        if near is None:
            return required, "no birthday known"
        return required, "in these days" if near[predicate] else "on another day"

    return Check("the receipt's day", holds, words)


def enrolled(predicate: EnrolledFor) -> Check:
    """Days since the member joined."""
    least, most, zone = predicate.at_least_days or 0, predicate.at_most_days, predicate.zone
    required = range_words(None if predicate.at_least_days is None else str(least), None if most is None else str(most))

    def days(receipt: JudgedReceipt) -> int | None:
        enrolled_at = receipt.facts.member.enrolled_at
        if enrolled_at is None:
            return None
        return (receipt.local(zone).date() - enrolled_at.astimezone(receipt.facts.zone(zone)).date()).days

    def holds(receipt: JudgedReceipt) -> bool:
        observed = days(receipt)
        return observed is not None and observed >= least and (most is None or observed <= most)

    def words(receipt: JudgedReceipt) -> tuple[str, str]:
        observed = days(receipt)
        return required, "not known" if observed is None else str(observed)

    return Check("days since enrolment", holds, words)


def _clock(minute: int) -> str:
    return f"{timedelta(minutes=minute).seconds // 3600:02d}:{minute % 60:02d}" if minute < 1_440 else "24:00"
