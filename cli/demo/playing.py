"""Posts the documents through the door, spends points, and waits until every service has taken in what concerns it."""

import asyncio
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from cli.demo.api import Api, each, pages
from cli.demo.documents import Document
from cli.errors import CommandError

BATCH_SIZE = 100
BATCHES_AT_ONCE = 4
SETTLE_SECONDS_MAX = 120.0
STALLED_SECONDS_MAX = 60.0
ASK_SECONDS = 0.2
SPENDING_SHIFT = 9  # the panel's shifts are 1 to 3
WAIT_SECONDS = 20
QUIET_LOOKS = 2
QUIET_SECONDS = 1.1  # what is left in outboxes is measured once a second

Advance = Callable[[int], None]

_LEFT = re.compile(r"^(?:tessera_consumer_lag\{.*\}|tessera_outbox_oldest_seconds) ([0-9.e+-]+)$", re.MULTILINE)
_RECEIPTS = re.compile(
    r'^tessera_accrual_receipts_total\{outcome="([a-z_]+)",reason="([a-z_]*)"\} ([0-9.e+]+)$', re.MULTILINE
)


@dataclass(slots=True)
class Pace:
    """How fast the play went: documents, seconds, and how long single receipts waited for their points."""

    documents: int = 0
    post_seconds: float = 0.0
    settle_seconds: float = 0.0
    delays_seconds: list[float] = field(default_factory=list)

    @property
    def per_second(self) -> float:
        """Documents a second, from the first post to the last decision."""
        return self.documents / self.settle_seconds if self.settle_seconds else 0.0

    def delay_percentile(self, percent: int) -> float:
        """The delay that this share of the single receipts did not exceed."""
        ordered = sorted(self.delays_seconds)
        return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] if ordered else 0.0


async def post_documents(clients: Mapping[str, Api], documents: Sequence[Document], progress: Advance) -> None:
    """Post in batches, each with its partner's own credential. A document that is refused ends the demo."""

    async def post_batch(batch: Sequence[Document]) -> None:
        answer = await clients[batch[0]["partner_id"]].post("accrual", "/v1/receipts:batch", {"receipts": list(batch)})
        for result in answer["results"]:
            if result["status_code"] >= 400:
                raise CommandError(f"the door refused a receipt: {result['problem']}")
        progress(len(batch))

    await each(_batches(documents), post_batch, at_once=BATCHES_AT_ONCE)


async def measure_delay(api: Api, documents: Sequence[Document], progress: Advance) -> list[float]:
    """Post one by one and wait for each one's points: seconds from the till's call to the balance it may show."""
    delays = []
    for document in documents:
        began = time.perf_counter()
        answer = await api.post("accrual", "/v1/receipts", document, prefer=f"wait={WAIT_SECONDS}")
        if answer["status"] == "awarded":
            delays.append(time.perf_counter() - began)
        progress(1)
    return delays


async def await_decided(api: Api, metrics_url: str, decided: int, progress: Advance) -> dict[str, int]:
    """Wait until accrual has decided on so many documents; what became of them."""
    moved_at = time.monotonic()
    seen = 0
    while True:
        outcomes = await read_outcomes(api, metrics_url)
        total = sum(outcomes.values())
        progress(total - seen)
        if total >= decided:
            return outcomes
        if total > seen:
            moved_at = time.monotonic()
        elif time.monotonic() - moved_at > STALLED_SECONDS_MAX:
            raise CommandError(f"accrual stopped at {total} of {decided} receipts: see its log")
        seen = total
        await asyncio.sleep(ASK_SECONDS)


async def await_quiet(api: Api, metrics_urls: Sequence[str]) -> None:
    """Wait until no service has anything left to read or to publish: two looks in a row, a second apart."""
    deadline = time.monotonic() + SETTLE_SECONDS_MAX
    quiet = 0
    while quiet < QUIET_LOOKS:
        pages_of_text = [await api.text(url) for url in metrics_urls]
        left = sum(float(value) for page in pages_of_text for value in _LEFT.findall(page))
        quiet = quiet + 1 if left == 0 else 0
        if time.monotonic() > deadline:
            raise CommandError(f"services still had work to do after {SETTLE_SECONDS_MAX:.0f} s: see their logs")
        await asyncio.sleep(QUIET_SECONDS)


async def read_outcomes(api: Api, metrics_url: str) -> dict[str, int]:
    """What accrual's worker has counted so far, by outcome and reason."""
    page = await api.text(metrics_url)
    return {
        f"{outcome} ({reason})" if reason else outcome: int(float(count))
        for outcome, reason, count in _RECEIPTS.findall(page)
    }


async def spend(api: Api, members: Sequence[str], points: int, documents: Mapping[str, Document]) -> dict[str, int]:
    """Holds for some members: captured by the till over HTTP, captured by a receipt's points tender, or let go."""
    spent = {"captured": 0, "captured by receipt": 0, "let go": 0, "too few points": 0}
    for number, member_id in enumerate(members):
        balance = await api.get("redemption", f"/v1/members/{member_id}/balance")
        available = sum(each_type["available"] for each_type in balance["balances"])
        if available < points:
            spent["too few points"] += 1
            continue
        hold = await api.post(
            "redemption", "/v1/redemptions", {"member_id": member_id, "points": points, "partner_id": "grocer"}
        )
        redemption_id = hold["redemption_id"]
        if number % 5 == 4:
            await api.post("redemption", f"/v1/redemptions/{redemption_id}/void", {})
            spent["let go"] += 1
        elif number % 5 == 3:
            tender = _paid_with_points(documents[member_id], redemption_id, points, spent["captured by receipt"] + 1)
            await api.post("accrual", "/v1/receipts", tender, prefer=f"wait={WAIT_SECONDS}")
            spent["captured by receipt"] += 1
        else:
            key = documents[member_id]["key"] | {"number": 3 * 10**12 + number}
            await api.post("redemption", f"/v1/redemptions/{redemption_id}/capture", {"receipt": key})
            spent["captured"] += 1
    return spent


def _paid_with_points(like: Document, redemption_id: str, points: int, number: int) -> Document:
    """A purchase of twice as much as the points pay for, a point a cent: at an earlier till, in a shift of its own."""
    total = 2 * points
    line = {"line_id": 1, "sku": "synthetic", "category": "GROCERY", "quantity": "1", "amount_minor": total}
    return like | {
        "key": like["key"] | {"shift": SPENDING_SHIFT, "number": number},
        "total_minor": total,
        "lines": [line],
        "tenders": [
            {"kind": "points", "amount_minor": points, "redemption_id": redemption_id},
            {"kind": "card", "amount_minor": points},
        ],
    }


def _batches(documents: Sequence[Document]) -> list[Sequence[Document]]:
    """Batches of one partner each, in the order of the documents."""
    by_partner: dict[str, list[Document]] = {}
    for document in documents:
        by_partner.setdefault(document["partner_id"], []).append(document)
    batches = [batch for own in by_partner.values() for batch in pages(own, BATCH_SIZE)]
    return sorted(batches, key=lambda batch: str(batch[0]["occurred_at"]))
