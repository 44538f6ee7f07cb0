"""What HTTP says of partners' articles and of files of them. Reports name lines, columns and codes: never a value."""

from datetime import date, datetime
from typing import Annotated, Literal, Self, TypeAlias
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from services.coalition.domain.articles import Article, ArticleChange, ArticleImport, UnknownArticleSales, normal_gtin
from services.coalition.schemas.categories import PartnerCategory
from services.coalition.schemas.fields import AnswerModel, refuse_repeated
from shared.web import Body, CodeText, Flag, NonNegativeMinor

ARTICLES_MAX = 1_000
GTIN_TEXT_LENGTH_MAX = 32


def _gtin(text: str) -> str:
    gtin = normal_gtin(text)
    if gtin is None:
        raise PydanticCustomError(
            "gtin", "Input should be a GTIN of 8, 12, 13 or 14 digits: the last one is its check digit"
        )
    return gtin


Gtin: TypeAlias = Annotated[str, Field(max_length=GTIN_TEXT_LENGTH_MAX), AfterValidator(_gtin)]
Brand: TypeAlias = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]


class ArticleBody(Body):
    """All that is said of an article. ``category`` is the partner's own; the price does not fall below the floor."""

    gtin: Gtin | None = None
    brand: Brand | None = None
    category: PartnerCategory | None = None
    is_excluded: Flag = False
    price_floor_minor: NonNegativeMinor | None = None

    def article(self, partner_id: str, sku: str) -> Article:
        """The article that is stated."""
        return Article(partner_id, sku, self.gtin, self.brand, self.category, self.is_excluded, self.price_floor_minor)


class ListedArticleBody(ArticleBody):
    """One article of many."""

    sku: CodeText


class ArticlesBody(Body):
    """Articles that are stated together."""

    articles: Annotated[list[ListedArticleBody], Field(min_length=1, max_length=ARTICLES_MAX)]

    @model_validator(mode="after")
    def _articles_differ(self) -> Self:
        refuse_repeated([article.sku for article in self.articles], "sku")
        return self


class ArticleAnswer(AnswerModel):
    """An article."""

    sku: str
    gtin: str | None
    brand: str | None
    category: str | None
    is_excluded: bool
    price_floor_minor: int | None
    version: int

    @classmethod
    def of(cls, article: Article) -> Self:
        """The answer for an article."""
        return cls(
            sku=article.sku,
            gtin=article.gtin,
            brand=article.brand,
            category=article.category,
            is_excluded=article.is_excluded,
            price_floor_minor=article.price_floor_minor,
            version=article.version,
        )


class ArticleOutcome(AnswerModel):
    """What became of one article of a batch."""

    sku: str
    outcome: Literal["registered", "changed", "unchanged"]
    version: int

    @classmethod
    def of(cls, change: ArticleChange) -> Self:
        """The outcome for a change."""
        return cls(sku=change.after.sku, outcome=change.outcome, version=change.after.version)


class ArticlesAnswer(AnswerModel):
    """One outcome an article, in the order of the request."""

    partner_id: str
    articles: list[ArticleOutcome]


class UnknownArticleAnswer(AnswerModel):
    """A number on the partner's receipts that no article has, and what was sold of it, less returns."""

    sku: str
    lines: int
    amount_minor: int
    last_sold_on: date

    @classmethod
    def of(cls, sales: UnknownArticleSales) -> Self:
        """The answer for a number."""
        return cls(sku=sales.sku, lines=sales.lines, amount_minor=sales.amount_minor, last_sold_on=sales.last_sold_on)


class UnknownArticlesAnswer(AnswerModel):
    """The numbers that sell most come first."""

    partner_id: str
    articles: list[UnknownArticleAnswer]


class ArticleImportBody(Body):
    """A file that will be sent."""


class ArticleImportAnswer(AnswerModel):
    """How far a file was taken in; ``written`` counts articles that it registered or changed."""

    import_id: UUID
    partner_id: str
    state: Literal["open", "finished"]
    records_taken: int
    written: int
    refused: int
    created_at: datetime
    finished_at: datetime | None
    content_url: str
    refusals_url: str

    @classmethod
    def of(cls, taken: ArticleImport) -> Self:
        """The answer for an import."""
        url = f"/v1/partners/{taken.partner_id}/article-imports/{taken.import_id}"
        return cls(
            import_id=taken.import_id,
            partner_id=taken.partner_id,
            state=taken.state,
            records_taken=taken.records_taken,
            written=taken.written,
            refused=taken.refused,
            created_at=taken.created_at,
            finished_at=taken.finished_at,
            content_url=f"{url}/content",
            refusals_url=f"{url}/refusals",
        )
