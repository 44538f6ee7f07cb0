"""A predicate made ready to be asked of many receipts, and its answer in words where it was no."""

from collections.abc import Callable
from typing import Literal, NamedTuple

from services.accrual.domain.judged_receipt import JudgedReceipt


class Unmet(NamedTuple):
    """A predicate that did not hold: what it required, and what was there."""

    predicate: str
    required: str
    observed: str


class Check(NamedTuple):
    """``holds`` is asked of every receipt; ``words`` (what is required, what is there) only for the trace.

    ``of`` are the checks that an all, any or not is made of.
    """

    predicate: str
    holds: Callable[[JudgedReceipt], bool]
    words: Callable[[JudgedReceipt], tuple[str, str]]
    junction: Literal["all", "any", "not"] | None = None
    of: tuple["Check", ...] = ()


def all_of(checks: tuple[Check, ...]) -> Check:
    """Every one of them; the first that does not hold is what is told."""
    tests = tuple(check.holds for check in checks)

    def holds(receipt: JudgedReceipt) -> bool:
        for test in tests:  # noqa: SIM110 -- all() with a generator takes three times as long
            if not test(receipt):
                return False
        return True

    return Check("all of", holds, _words_of_all(checks), "all", checks)


def any_of(checks: tuple[Check, ...]) -> Check:
    """At least one of them; where none holds, all are told."""
    tests = tuple(check.holds for check in checks)

    def holds(receipt: JudgedReceipt) -> bool:
        for test in tests:  # noqa: SIM110 -- any() with a generator takes three times as long
            if test(receipt):
                return True
        return False

    def words(receipt: JudgedReceipt) -> tuple[str, str]:
        told = [(check.predicate, *check.words(receipt)) for check in checks]
        required = " or ".join(f"{predicate} {required}" for predicate, required, _ in told)
        return required, ", ".join(f"{predicate} {observed}" for predicate, _, observed in told)

    return Check("any of", holds, words, "any", checks)


def not_of(check: Check) -> Check:
    """The check does not hold."""
    test = check.holds

    def holds(receipt: JudgedReceipt) -> bool:
        return not test(receipt)

    def words(receipt: JudgedReceipt) -> tuple[str, str]:
        required, observed = check.words(receipt)
        return f"not {required}", observed

    return Check(check.predicate, holds, words, "not", (check,))


def first_unmet(check: Check, receipt: JudgedReceipt) -> Unmet | None:
    """The first predicate that did not hold, in the order in which the rule names them; None where all did."""
    if check.holds(receipt):
        return None
    if check.junction == "all":
        return next(unmet for inner in check.of if (unmet := first_unmet(inner, receipt)) is not None)
    return Unmet(check.predicate, *check.words(receipt))


def _words_of_all(checks: tuple[Check, ...]) -> Callable[[JudgedReceipt], tuple[str, str]]:
    def words(receipt: JudgedReceipt) -> tuple[str, str]:
        told = [(check.predicate, *check.words(receipt)) for check in checks]
        required = " and ".join(f"{predicate} {required}" for predicate, required, _ in told)
        return required, ", ".join(f"{predicate} {observed}" for predicate, _, observed in told)

    return words
