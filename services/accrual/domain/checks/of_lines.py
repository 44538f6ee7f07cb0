"""Line tests made ready to be asked of many lines."""

from typing import assert_never

from services.accrual.domain.judged_receipt import LineCheck
from services.accrual.domain.rules.line_tests import (
    AllOfLine,
    AnyOfLine,
    ArticleTest,
    BrandTest,
    CategoryTest,
    LineTest,
    NotOfLine,
)
from shared.events.purchases import PurchaseLine


def line_check(test: LineTest) -> LineCheck:
    """Whether a line is meant. Made once a test; asked of every line."""
    match test:
        case CategoryTest(categories=categories):
            never = frozenset(categories).isdisjoint
            return lambda _, path: not never(path)
        case ArticleTest(skus=skus):
            articles = frozenset(skus)
            return lambda line, _: line.sku in articles
        case BrandTest(brands=brands):
            names = frozenset(brands)
            return lambda line, _: line.brand in names
        case AllOfLine(of=inner):
            return _all_of(tuple(line_check(one) for one in inner))
        case AnyOfLine(of=inner):
            return _any_of(tuple(line_check(one) for one in inner))
        case NotOfLine(of=only):
            check = line_check(only)
            return lambda line, path: not check(line, path)
        case _:
            assert_never(test)


def categories_needed(test: LineTest | None) -> frozenset[str] | None:
    """Categories of which a line must have one to be meant; None where a line of any category may be."""
    match test:
        case CategoryTest(categories=categories):
            return frozenset(categories)
        case AllOfLine(of=inner):
            return next((found for one in inner if (found := categories_needed(one)) is not None), None)
        case AnyOfLine(of=inner):
            parts = [categories_needed(one) for one in inner]
            known = [part for part in parts if part is not None]
            return frozenset[str]().union(*known) if len(known) == len(parts) else None
        case _:
            return None


def line_words(test: LineTest | None) -> str:
    """Which lines are meant, in plain words."""
    match test:
        case None:
            return "the receipt"
        case CategoryTest(categories=names) | ArticleTest(skus=names) | BrandTest(brands=names):
            return f"{test.kind} {' or '.join(names)}"
        case AllOfLine(of=inner):
            return " and ".join(line_words(one) for one in inner)
        case AnyOfLine(of=inner):
            return " or ".join(line_words(one) for one in inner)
        case NotOfLine(of=only):
            return f"not {line_words(only)}"
        case _:
            assert_never(test)


def _all_of(checks: tuple[LineCheck, ...]) -> LineCheck:
    def check(line: PurchaseLine, path: tuple[str, ...]) -> bool:
        return all(one(line, path) for one in checks)

    return check


def _any_of(checks: tuple[LineCheck, ...]) -> LineCheck:
    def check(line: PurchaseLine, path: tuple[str, ...]) -> bool:
        return any(one(line, path) for one in checks)

    return check
