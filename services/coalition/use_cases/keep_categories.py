"""Keep the programme's tree."""

from services.coalition.domain.audit import Act, facts_of
from services.coalition.domain.categories import Category, placed
from services.coalition.domain.errors import CategoryExistsError, CategoryNotFoundError
from services.coalition.repository import categories
from services.coalition.use_cases.record_acts import record_acts
from shared.database import Transaction


async def register_category(
    transaction: Transaction, category_id: str, name: str, parent_id: str | None, author: str
) -> Category:
    """Put a category into the tree, and record the act. Nobody is told: a mapping tells of the path that it names.

    Raises:
        CategoryNotFoundError: there is no such parent.
        TreeTooDeepError: it would stand too deep.
        CategoryExistsError: the id is taken.
    """
    parent = None
    if parent_id is not None:
        parent = (await categories.find_categories(transaction, [parent_id])).get(parent_id)
        if parent is None:
            raise CategoryNotFoundError("parent_id: the tree has no such category")
    category = placed(category_id, name, parent)
    if not await categories.insert_category(transaction, category):
        raise CategoryExistsError(f"the tree has a category {category_id} already")
    await record_acts(transaction, [Act(author, "category.registered", category_id, None, after=facts_of(category))])
    return category


async def read_categories(transaction: Transaction, *, after: str | None, rows_max: int) -> list[Category]:
    """Up to ``rows_max`` categories after an id, in the order of ids."""
    return await categories.load_categories(transaction, after or "", rows_max)
