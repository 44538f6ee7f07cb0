"""Decides a batch: once, or again where somebody else took from a campaign's budget while it was decided."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from services.accrual.domain.deciding import decide_document
from services.accrual.domain.decisions import Decision, Document, Facts
from services.accrual.domain.earning_facts import Used
from services.accrual.domain.earning_of_batch import EarningOfBatch
from services.accrual.domain.prepayments import decide_of_sale
from services.accrual.repository import campaign_budgets, counted_days
from shared.database import Transaction
from shared.kafka import PermanentError

# What goes wrong while rules are applied to a document is the fault of both, and no outage.
FAULTS_OF_RULES = (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError)


class UndecidableError(PermanentError):
    """The rules could not be applied to a document: it alone is set aside, its claim ``failed``, and others go on."""


async def decide_documents(transaction: Transaction, documents: Sequence[Document], facts: Facts) -> list[Decision]:
    """Decide the documents in their order, and write what they use of caps, windows and budgets.

    The members are locked. Budgets are locked next, after the decision that wants them, and stay so to the commit: what
    another has taken meanwhile makes the batch decide again, with what is really left, so that what it gives is what
    was granted. Who gets the last points of a budget depends on the order of commits.
    """
    earning = facts.earning
    if earning is None:
        with undecidable():
            if facts.handovers is not None:
                return [one for document in documents for one in decide_of_sale(document, facts)]
            return [decide_document(document, facts) for document in documents]
    untouched = {key: replace(original) for key, original in facts.originals.items()}
    handovers = {key: list(named) for key, named in (facts.handovers or {}).items()}
    decisions = [one for document in documents for one in _decide(document, facts)]
    if earning.budgets_taken:
        fresh = await lock_budgets(transaction, earning)
        if fresh is not None:
            earning = fresh
            facts.originals.clear()
            facts.originals.update(untouched)
            again = facts._replace(earning=earning, handovers=None if facts.handovers is None else handovers)
            decisions = [one for document in documents for one in _decide(document, again)]
    await write_counters(transaction, earning)
    return decisions


def _decide(document: Document, facts: Facts) -> list[Decision]:
    with undecidable():
        return decide_of_sale(document, facts)


@contextmanager
def undecidable() -> Iterator[None]:
    """Whatever goes wrong while rules are applied is this document's fault, and no outage."""
    try:
        yield
    except FAULTS_OF_RULES as error:
        raise UndecidableError(f"the rules cannot be applied: {type(error).__name__}") from error


async def lock_budgets(transaction: Transaction, earning: EarningOfBatch) -> EarningOfBatch | None:
    """Lock the budgets that were taken from, to the commit; where somebody else took from one meanwhile, the facts by
    which all of it is to be decided again.
    """
    granted = await campaign_budgets.lock(transaction, earning.budgets_taken)
    if all(granted[name] == earning.budgets_used.get(name, Used()) for name in earning.budgets_taken):
        return None
    known = {**earning.budgets_used, **granted}
    return EarningOfBatch(
        earning.facts,
        earning.at_store,
        earning.counted,
        earning.places,
        known,
        earning.balances,
        earning.latest,
        earning.asks,
    )


async def write_counters(transaction: Transaction, earning: EarningOfBatch) -> None:
    """Write what was used of budgets, caps and windows, the budgets being locked."""
    if earning.budgets_taken:
        await campaign_budgets.take(transaction, earning.budgets_taken)
    added = [row for rows in earning.added.values() for row in rows]
    given_back = [row for rows in earning.given_back.values() for row in rows]
    if added:
        await counted_days.add(transaction, added)
    if given_back:
        await counted_days.give_back(transaction, given_back)
