"""How long ledger rows were held."""

from shared.ledger import HeldSince


def test_it_counts_from_the_first_lock() -> None:
    seconds = iter([10.0, 10.5, 12.0])
    held = HeldSince(lambda: next(seconds))
    held.locked()
    assert held.seconds() == 0.5
    held.locked()  # a second call of the same transaction
    assert held.seconds() == 2.0


def test_a_transaction_that_locked_nothing_held_nothing() -> None:
    assert HeldSince().seconds() == 0.0
