"""Gifts among members make no point and lose none, and change nothing about a point but whose it is."""

from collections import Counter
from dataclasses import replace
from datetime import date
from typing import NamedTuple
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.ledger import Earn, Funding, Give, Limits, LotTerms, Posted, Refused
from tests.support.ledger_memory import MemoryLedger
from tests.support.receipts import member

PEOPLE = tuple(member(number) for number in range(1, 4))
PLAIN = LotTerms("grocer", date(2026, 3, 1), date(2027, 3, 1))
TERMS = (
    PLAIN,
    replace(PLAIN, expires_on=date(2026, 12, 1)),
    replace(PLAIN, limits=Limits(partners=("fuel",))),
    replace(PLAIN, issuer="fuel", funding=Funding((("brand", 2), ("grocer", 1)))),
)
POINTS = st.integers(1, 60)


class Wish(NamedTuple):
    giver: UUID
    receiver: UUID
    points: int


EARNED = st.lists(st.tuples(st.sampled_from(PEOPLE), st.sampled_from(TERMS), POINTS), min_size=1, max_size=6)
WISHES = st.lists(st.builds(Wish, st.sampled_from(PEOPLE), st.sampled_from(PEOPLE), POINTS), min_size=1, max_size=12)


def available(ledger: MemoryLedger) -> dict[UUID, int]:
    return {UUID(int=owner): account.available for (owner, _), account in ledger.accounts.items()}


def by_terms(ledger: MemoryLedger) -> Counter[LotTerms]:
    """All points there are, by what they are apart from their basis, which a gift changes."""
    found: Counter[LotTerms] = Counter()
    for lot in ledger.lots.values():
        found[replace(lot.terms, basis="any")] += lot.remaining
    return +found


@given(EARNED, WISHES)
@settings(max_examples=40)
def test_gifts_move_points_and_make_and_lose_none(earned: list[tuple[UUID, LotTerms, int]], wishes: list[Wish]) -> None:
    ledger = MemoryLedger()
    for number, (owner, terms, points) in enumerate(earned):
        ledger.post([Earn(owner, "points", f"receipt {number}".encode(), points, terms)])
    before, model = by_terms(ledger), Counter(available(ledger))

    for number, wish in enumerate(wishes):
        [outcome] = ledger.post(
            [Give(wish.giver, "points", f"gift:{number}".encode(), wish.receiver, "gift", wish.points)]
        )
        if wish.giver == wish.receiver:
            assert isinstance(outcome, Refused)
            assert outcome.reason == "same_owner"
        elif model[wish.giver] < wish.points:
            assert isinstance(outcome, Refused)
            assert outcome.reason == "insufficient_points"
        else:
            assert isinstance(outcome, Posted)
            assert outcome.points == wish.points == sum(points for _, points in outcome.issuers)
            model[wish.giver] -= wish.points
            model[wish.receiver] += wish.points
        assert {owner: points for owner, points in available(ledger).items() if points} == dict(+model)
        assert by_terms(ledger) == before
