"""What ``loyalty.coalition`` says of partners' goods: what their categories count as, which articles earn nothing and
which do not cost less than a floor."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, StrictBool

from shared.events.envelope import Code, Event, Frozen, Minor, Version


class MappedData(Frozen):
    """What a partner's category counts as in the programme's tree, from ``in_force_from`` on.

    ``path`` leads from the tree's root down to ``category_id``; both are absent where it counts as itself again.
    ``version`` counts all mappings of the partner, together with what ArticleChanged says, one after the other.
    """

    partner_id: Code
    version: Version
    partner_category: Code
    category_id: Code | None = None
    path: tuple[Code, ...] = ()
    in_force_from: AwareDatetime


class ArticleData(Frozen):
    """Whether an article of a partner earns nothing, from ``in_force_from`` on.

    ``version`` counts the partner's mappings and what is said of its articles together, one after the other.
    """

    partner_id: Code
    version: Version
    sku: Code
    is_excluded: StrictBool
    in_force_from: AwareDatetime


class PriceFloorData(Frozen):
    """What a unit of a partner's article does not cost less than, in minor units of the programme's currency; absent:
    it may cost anything again.

    A unit is what quantities on receipts count. ``version`` rises with each change of the floor, and may skip numbers.
    """

    partner_id: Code
    version: Version
    sku: Code
    floor_minor: Annotated[Minor, Field(gt=0)] | None = None


class ProductMapped(Event):
    """A partner's category was mapped to the programme's tree, or no longer is."""

    type: Literal["loyalty.product.mapped.v1"] = "loyalty.product.mapped.v1"
    data: MappedData


class ArticleChanged(Event):
    """A partner's article is excluded from earning, or no longer is."""

    type: Literal["loyalty.article.changed.v1"] = "loyalty.article.changed.v1"
    data: ArticleData


class PriceFloorChanged(Event):
    """A partner's article has a price floor, another one, or none any more. Discounts and points do not go below it."""

    type: Literal["loyalty.price_floor.changed.v1"] = "loyalty.price_floor.changed.v1"
    data: PriceFloorData
