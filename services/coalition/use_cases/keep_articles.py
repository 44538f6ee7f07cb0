"""Keep what partners sell: articles are stated, and change only where something is different."""

from collections.abc import Sequence

from services.coalition.domain.articles import (
    Article,
    ArticleChange,
    UnknownArticleSales,
    changes_of,
    exclusions_of,
    floors_of,
)
from services.coalition.domain.audit import Act, facts_of
from services.coalition.domain.categories import beginning
from services.coalition.domain.errors import ArticleNotFoundError, PartnerNotFoundError
from services.coalition.repository import articles, categories, partners, unknown_articles
from services.coalition.use_cases import announcements
from services.coalition.use_cases.read_partners import read_partner
from services.coalition.use_cases.record_acts import record_acts
from shared import outbox
from shared.database import Transaction


async def state_articles(
    transaction: Transaction, partner_id: str, stated: Sequence[Article], author: str, why: str | None = None
) -> list[ArticleChange]:
    """Write what is new or different of a partner's articles, whose numbers differ; record the acts, ArticleChanged
    and PriceFloorChanged.

    Which articles are excluded counts a minute later, when everybody who judges receipts knows of it; a floor counts as
    soon as it is heard of. Of an article that says nothing new of either, nothing is told.

    Idempotent: what is stated again changes nothing, and no version. Holds the partner's row to the commit; the number
    of statements does not depend on the number of articles.

    Raises:
        PartnerNotFoundError: there is no such partner.
        TooManyExclusionsError: it changed too often which articles are excluded.
    """
    if not await partners.lock_partner(transaction, partner_id):
        raise PartnerNotFoundError("there is no such partner")
    known = await articles.find_articles(transaction, partner_id, [article.sku for article in stated])
    changes = changes_of(known, stated)
    written = [change for change in changes if change.outcome != "unchanged"]
    if written:
        await articles.save_articles(transaction, partner_id, [change.after for change in written])
        await unknown_articles.forget(transaction, partner_id, [change.after.sku for change in written])
        last = await categories.last_version(transaction, partner_id)
        exclusions = exclusions_of(written, last, beginning(None, transaction.now))
        if exclusions:
            await articles.insert_exclusions(transaction, partner_id, exclusions)
        await record_acts(transaction, [_act(change, author, why) for change in written])
        told = [announcements.article_changed(transaction, one) for one in exclusions]
        told += [announcements.price_floor_changed(transaction, one) for one in floors_of(written)]
        await outbox.record(transaction, told)
    return changes


async def read_article(transaction: Transaction, partner_id: str, sku: str) -> Article:
    """One article.

    Raises:
        PartnerNotFoundError, ArticleNotFoundError: there is no such partner, or it has no such article.
    """
    await read_partner(transaction, partner_id)
    found = await articles.find_articles(transaction, partner_id, [sku])
    if sku not in found:
        raise ArticleNotFoundError("the partner has no such article")
    return found[sku]


async def read_articles(
    transaction: Transaction, partner_id: str, *, after: str | None, rows_max: int
) -> list[Article]:
    """Up to ``rows_max`` articles of a partner after a number, in the order of numbers.

    Raises:
        PartnerNotFoundError: there is no such partner.
    """
    await read_partner(transaction, partner_id)
    return await articles.load_articles(transaction, partner_id, after or "", rows_max)


async def read_unknown_articles(transaction: Transaction, partner_id: str, rows_max: int) -> list[UnknownArticleSales]:
    """Numbers on the partner's receipts that no article has, those that sell most first.

    Raises:
        PartnerNotFoundError: there is no such partner.
    """
    await read_partner(transaction, partner_id)
    return await unknown_articles.load_unknown(transaction, partner_id, rows_max)


def _act(change: ArticleChange, author: str, why: str | None) -> Act:
    before = facts_of(change.before) if change.before is not None else None
    after = change.after
    return Act(author, f"article.{change.outcome}", after.subject, after.partner_id, before, facts_of(after), why)
