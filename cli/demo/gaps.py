"""Receipts that are kept back on purpose, and what the gap report says of them.

The panel numbers baskets, not receipts. A till numbers its receipts one after another within a shift, and so do these:
only then can a number be missing.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from cli.demo.api import Api
from cli.demo.documents import Document, Play

PARTNER = "grocer"
WITHHELD = 12
PAGE = 200

Place = tuple[str, str, str, str, int]  # partner, store, till, business date, shift


def number_consecutively(play: Play) -> None:
    """Give each document the next number of its till's shift, in the order of time. Returns follow their purchases."""
    last: Counter[Place] = Counter()
    for document in sorted(play.documents, key=lambda one: (one["occurred_at"], one["key"]["number"])):
        place = _place(document)
        last[place] += 1
        document["key"]["number"] = last[place]  # a return's original is the purchase's own key


def withhold(play: Play) -> list[Document]:
    """Keep some receipts back: from amid their shifts, so that others before and after them show that they are missing,
    and none that comes back."""
    highest: Counter[Place] = Counter()
    for document in play.documents:
        place = _place(document)
        highest[place] = max(highest[place], document["key"]["number"])
    returned = {id(document["original"]) for document in play.returns}
    candidates = [
        document
        for document in play.receipts
        if document["partner_id"] == PARTNER
        and id(document["key"]) not in returned
        and 1 < document["key"]["number"] < highest[_place(document)]
    ]
    withheld = candidates[:: max(1, len(candidates) // WITHHELD)][:WITHHELD]
    kept_back = {id(document) for document in withheld}
    play.receipts = [document for document in play.receipts if id(document) not in kept_back]
    return withheld


async def read_gaps(api: Api, play: Play, withheld: list[Document]) -> dict[str, Any]:
    """What is missing by the report, and whether that is exactly what was kept back."""
    days = sorted(document["key"]["business_date"] for document in play.documents)
    asked = {"from": days[0], "to": days[-1], "limit": PAGE}
    found: list[Mapping[str, Any]] = []
    cursor = None
    while True:
        query = urlencode(asked | ({"cursor": cursor} if cursor else {}))
        page = await api.get("coalition", f"/v1/partners/{PARTNER}/gaps?{query}")
        found += page["items"]
        cursor = page.get("next_cursor")
        if cursor is None:
            break
    named = set(_named(found))
    expected = {(*_place(document)[1:], document["key"]["number"]) for document in withheld}
    return {
        "withheld": len(withheld),
        "missing": sum(shift["missing_count"] for shift in found),
        "is_exact": named == expected,
        "shifts": [dict(shift) for shift in found],
    }


def _place(document: Document) -> Place:
    key = document["key"]
    return document["partner_id"], key["store_id"], key["till_id"], key["business_date"], key["shift"]


def _named(shifts: list[Mapping[str, Any]]) -> Iterator[tuple[str, str, str, int, int]]:
    for shift in shifts:
        place = shift["store_id"], shift["till_id"], shift["business_date"], shift["shift"]
        for run in shift["missing"]:
            for number in range(run["first"], run["last"] + 1):
                yield (*place, number)
