"""What became of batches, into the metrics: told of once it is committed."""

from collections.abc import Sequence

from services.redemption import metrics
from services.redemption.use_cases.settle_privilege_uses import Change
from services.redemption.use_cases.settle_returns import ReturnReport
from services.redemption.use_cases.settle_tenders import TenderReport


def count_tenders(report: TenderReport) -> None:
    """What tenders took, and what they contradicted."""
    for outcome, count in report.outcomes.items():
        metrics.TENDERS.labels(outcome).inc(count)
    for kind in report.exceptions:
        metrics.EXCEPTIONS.labels(kind).inc()
    metrics.UNCOVERED_POINTS.inc(report.uncovered_points)
    metrics.OWED_POINTS.inc(report.debt_points)


def count_returns(report: ReturnReport) -> None:
    """What returns gave back, and what they contradicted."""
    metrics.REFUNDED_POINTS.inc(report.refunded_points)
    for kind in report.exceptions:
        metrics.EXCEPTIONS.labels(kind).inc()


def count_uses(changes: Sequence[Change]) -> None:
    """What became of uses of privileges."""
    for change in changes:
        metrics.PRIVILEGE_USES.labels(change.outcome).inc()
