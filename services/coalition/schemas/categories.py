"""What HTTP says of the programme's tree and of partners' mappings."""

from datetime import date, datetime
from typing import Annotated, Self, TypeAlias

from pydantic import Field, StringConstraints, model_validator

from services.coalition.domain.categories import Category, CategoryMapping, CategorySales
from services.coalition.schemas.fields import AnswerModel, Name, refuse_repeated
from shared.web import AwareTime, Body, CodeText

MAPPINGS_MAX = 500

# What receipts bear: the partner's own word, trimmed as the till's is.
PartnerCategory: TypeAlias = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64)]


class CategoryBody(Body):
    """A category of the programme; without ``parent_id`` a root."""

    category_id: CodeText
    name: Name
    parent_id: CodeText | None = None


class CategoryAnswer(AnswerModel):
    """A category, and the way down to it."""

    category_id: str
    name: str
    path: list[str]

    @classmethod
    def of(cls, category: Category) -> Self:
        """The answer for a category."""
        return cls(category_id=category.category_id, name=category.name, path=list(category.path))


class MappingBody(Body):
    """A category as receipts of the partner name it, and what it counts as; null: as itself again."""

    partner_category: PartnerCategory
    category_id: CodeText | None


class MappingsBody(Body):
    """Mappings that count together, from ``in_force_from`` on: a minute ahead at least, which is the default."""

    mappings: list[MappingBody] = Field(min_length=1, max_length=MAPPINGS_MAX)
    in_force_from: AwareTime | None = None
    reason_code: CodeText

    @model_validator(mode="after")
    def _categories_differ(self) -> Self:
        refuse_repeated([mapping.partner_category for mapping in self.mappings], "partner_category")
        return self


class MappingAnswer(AnswerModel):
    """What a partner's category counts as."""

    partner_category: str
    category_id: str | None
    path: list[str]
    in_force_from: datetime
    version: int

    @classmethod
    def of(cls, mapping: CategoryMapping) -> Self:
        """The answer for a mapping."""
        return cls(
            partner_category=mapping.partner_category,
            category_id=mapping.category_id,
            path=list(mapping.path),
            in_force_from=mapping.in_force_from,
            version=mapping.version,
        )


class UnmappedAnswer(AnswerModel):
    """A category of the partner's receipts that nobody has mapped, and what was sold of it, less returns."""

    partner_category: str
    lines: int
    amount_minor: int
    last_sold_on: date

    @classmethod
    def of(cls, sales: CategorySales) -> Self:
        """The answer for a category."""
        return cls(
            partner_category=sales.partner_category,
            lines=sales.lines,
            amount_minor=sales.amount_minor,
            last_sold_on=sales.last_sold_on,
        )


class UnmappedListAnswer(AnswerModel):
    """The categories that sell most come first."""

    partner_id: str
    categories: list[UnmappedAnswer]


class MappingsAnswer(AnswerModel):
    """The new versions, in the order of the request."""

    partner_id: str
    mappings: list[MappingAnswer]
