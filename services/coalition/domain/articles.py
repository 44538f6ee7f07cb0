"""What a partner sells: articles, how a list of them changes what is known, and files of them. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Literal, NamedTuple, TypeAlias
from uuid import UUID

from stdnum import ean

from services.coalition.domain.errors import TooManyExclusionsError

ImportState: TypeAlias = Literal["open", "finished"]
Outcome: TypeAlias = Literal["registered", "changed", "unchanged"]

REQUIRED_COLUMNS = ("sku",)
COLUMNS = ("sku", "gtin", "brand", "category", "is_excluded", "price_floor_minor")
# Every process that judges receipts keeps all of them in memory.
EXCLUSIONS_LAST_MAX = 20_000
_WORDS: Mapping[str, bool] = {"true": True, "false": False}
_WHOLE_NUMBER_DIGITS_MAX = 18


@dataclass(frozen=True, slots=True)
class Article:
    """One article by the partner's own number. ``category`` is the partner's own word, as receipts bear it.

    ``version`` counts the changes of the article; ``floor_version`` is the one that changed its floor last, 0 where it
    never had one.
    """

    partner_id: str
    sku: str
    gtin: str | None
    brand: str | None
    category: str | None
    is_excluded: bool
    price_floor_minor: int | None
    version: int = 0
    floor_version: int = field(default=0, repr=False)

    @property
    def subject(self) -> str:
        """What its acts bear."""
        return f"{self.partner_id}/{self.sku}"


class ArticleChange(NamedTuple):
    """An article as it was, if it was there, and as it is now."""

    before: Article | None
    after: Article

    @property
    def outcome(self) -> Outcome:
        """What became of the article."""
        if self.before is None:
            return "registered"
        return "unchanged" if self.before == self.after else "changed"


@dataclass(frozen=True, slots=True)
class ArticleExclusion:
    """An article earns nothing, or earns again, from ``in_force_from`` on.

    ``version`` counts all mappings and exclusions of the partner together.
    """

    partner_id: str
    version: int
    sku: str
    is_excluded: bool
    in_force_from: datetime


@dataclass(frozen=True, slots=True)
class PriceFloor:
    """What a unit of an article does not cost less than; None: it may cost anything again. ``version`` is that of the
    article, which rises from floor to floor."""

    partner_id: str
    sku: str
    version: int
    floor_minor: int | None


@dataclass(frozen=True, slots=True)
class UnknownArticleSales:
    """What was sold of a number that no article has, less returns; ``lines`` counts both."""

    sku: str
    lines: int
    amount_minor: int
    last_sold_on: date


@dataclass(frozen=True, slots=True)
class ArticleImport:
    """How far a partner's file was taken in. ``written`` counts articles that were registered or changed."""

    import_id: UUID
    partner_id: str
    state: ImportState
    records_taken: int
    written: int
    refused: int
    content_digest: bytes
    created_by: str
    created_at: datetime
    finished_at: datetime | None


def normal_gtin(text: str) -> str | None:
    """A GTIN of 8, 12, 13 or 14 digits without separators; None where its check digit, or anything else, is wrong."""
    digits = str(ean.compact(text))
    return digits if ean.is_valid(digits) else None


def changes_of(known: Mapping[str, Article], stated: Sequence[Article]) -> list[ArticleChange]:
    """What each of the stated articles changes, in their order. An article moves only where something is different."""
    changes: list[ArticleChange] = []
    for article in stated:
        before = known.get(article.sku)
        version, floor_version = (before.version, before.floor_version) if before is not None else (0, 0)
        after = replace(article, version=version, floor_version=floor_version)
        if after != before:
            has_same_floor = _floor_of(after) == _floor_of(before)
            floor_version = floor_version if has_same_floor else version + 1
            after = replace(after, version=version + 1, floor_version=floor_version)
        changes.append(ArticleChange(before, after))
    return changes


def floors_of(changes: Sequence[ArticleChange]) -> list[PriceFloor]:
    """What changes say of floors: nothing where an article keeps its own, or has none as before. One of 0 is none."""
    return [
        PriceFloor(change.after.partner_id, change.after.sku, change.after.floor_version, _floor_of(change.after))
        for change in changes
        if _floor_of(change.after) != _floor_of(change.before)
    ]


def _floor_of(article: Article | None) -> int | None:
    return None if article is None else article.price_floor_minor or None


def exclusions_of(changes: Sequence[ArticleChange], last: int, in_force_from: datetime) -> list[ArticleExclusion]:
    """What the changes say of earning, numbered after ``last``. An article that is not excluded at first says nothing.

    Raises:
        TooManyExclusionsError: the partner's numbers would go beyond ``EXCLUSIONS_LAST_MAX``.
    """
    said = [
        change.after
        for change in changes
        if change.after.is_excluded != (change.before is not None and change.before.is_excluded)
    ]
    if said and last + len(said) > EXCLUSIONS_LAST_MAX:
        raise TooManyExclusionsError(
            f"articles were excluded and included again too often, at most {EXCLUSIONS_LAST_MAX} times a partner: "
            "have their category excluded by a rule set"
        )
    return [
        ArticleExclusion(article.partner_id, last + place, article.sku, article.is_excluded, in_force_from)
        for place, article in enumerate(said, start=1)
    ]


def last_of_each(stated: Sequence[Article]) -> list[Article]:
    """Each article once, as it was stated last."""
    return list({article.sku: article for article in stated}.values())


def article_of(columns: Sequence[str], fields: Sequence[str]) -> dict[str, Any]:
    """A record as the body of an article; what is empty is absent. A word that cannot be read stays as it is."""
    said: dict[str, Any] = {column: field for column, field in zip(columns, fields, strict=True) if field}
    if "is_excluded" in said:
        said["is_excluded"] = _WORDS.get(said["is_excluded"].lower(), said["is_excluded"])
    price = said.get("price_floor_minor", "")
    if price.isascii() and price.isdigit() and len(price) <= _WHOLE_NUMBER_DIGITS_MAX:
        said["price_floor_minor"] = int(price)
    return said
