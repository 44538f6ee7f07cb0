"""Where a batch is cut into transactions: what follows must find what was really done, not what was asked for. Pure."""

from collections.abc import Sequence

from services.accrual.domain.decisions import Document
from services.accrual.domain.rules import RuleSetHistory
from services.accrual.domain.voids import until_each_void
from shared.events.purchases import (
    ExchangeRecorded,
    PurchaseRecorded,
    ReceiptCorrected,
    ReceiptVoided,
    ReturnRecorded,
)


def in_runs(documents: Sequence[Document], rules: RuleSetHistory) -> list[Sequence[Document]]:
    """The documents in their order, in runs that each have a transaction; nearly always all of them are one.

    A correction is a run by itself: what it corrects must be saved by then, and what follows must find it so.
    Where rules count purchases, a void ends its run: what it takes off them, the receipts after it must not find there.
    Where a return may be clipped and a cap asks for the balance, whatever gives points begins a run behind what takes
    some back: how much of it was there, and so what room the cap has, the ledger alone knows. And so the void of an
    exchange begins a run behind it.
    """
    runs = until_each_void(documents) if rules.counted_places else [documents]
    if rules.clips_below_a_cap:
        runs = [part for run in runs for part in _behind_each_return(run)]
    if any(type(document.event) is ReceiptCorrected for document in documents):
        runs = [part for run in runs for part in _around_each_correction(run)]
    if any(type(document.event) is ExchangeRecorded for document in documents):
        runs = [part for run in runs for part in _void_behind_its_exchange(run)]
    return runs


def _behind_each_return(documents: Sequence[Document]) -> list[Sequence[Document]]:
    runs: list[list[Document]] = [[]]
    for document in documents:
        takes_only = isinstance(document.event, ReturnRecorded | ReceiptVoided)
        if runs[-1] and not takes_only and not isinstance(runs[-1][-1].event, PurchaseRecorded):
            runs.append([])
        runs[-1].append(document)
    return list(runs)


def _around_each_correction(documents: Sequence[Document]) -> list[Sequence[Document]]:
    runs: list[list[Document]] = [[]]
    for document in documents:
        if runs[-1] and ReceiptCorrected in (type(document.event), type(runs[-1][-1].event)):
            runs.append([])
        runs[-1].append(document)
    return list(runs)


def _void_behind_its_exchange(documents: Sequence[Document]) -> list[Sequence[Document]]:
    runs: list[list[Document]] = [[]]
    exchanges: set[bytes] = set()
    for document in documents:
        if isinstance(document.event, ReceiptVoided) and document.original_key in exchanges:
            runs.append([])
            exchanges = set()
        if isinstance(document.event, ExchangeRecorded):
            exchanges.add(document.natural_key)
        runs[-1].append(document)
    return list(runs)
