"""Which lines of a receipt a rule is about: an all/any/not tree of tests of one line."""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from services.accrual.domain.rules.values import Codes, Frozen

OF_MAX = 50


class CategoryTest(Frozen):
    """The line counts as one of these categories, or as one below them in the programme's tree."""

    kind: Literal["category"] = "category"
    categories: Codes


class ArticleTest(Frozen):
    """The line is one of these articles, by the code of the partner who sold it."""

    kind: Literal["article"] = "article"
    skus: Codes


class BrandTest(Frozen):
    """The line is of one of these brands, as its till says."""

    kind: Literal["brand"] = "brand"
    brands: Codes


class AllOfLine(Frozen):
    """Every one of these tests."""

    kind: Literal["all"] = "all"
    of: Annotated[tuple["LineTest", ...], Field(min_length=1, max_length=OF_MAX)]


class AnyOfLine(Frozen):
    """At least one of these tests."""

    kind: Literal["any"] = "any"
    of: Annotated[tuple["LineTest", ...], Field(min_length=1, max_length=OF_MAX)]


class NotOfLine(Frozen):
    """The test does not hold."""

    kind: Literal["not"] = "not"
    of: "LineTest"


LineTest: TypeAlias = Annotated[
    CategoryTest | ArticleTest | BrandTest | AllOfLine | AnyOfLine | NotOfLine, Field(discriminator="kind")
]

for _model in (AllOfLine, AnyOfLine, NotOfLine):
    _model.model_rebuild()
