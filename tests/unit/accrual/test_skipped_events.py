"""What accrual does not even decode."""

from services.accrual.consumer import wants_of_coalition


def test_a_catalogue_of_price_floors_is_skipped_undecoded_and_all_else_is_read() -> None:
    assert not wants_of_coalition({"type": b"loyalty.price_floor.changed.v1"})
    assert wants_of_coalition({"type": b"loyalty.article.changed.v1"})
    assert wants_of_coalition({"type": b"loyalty.something.new.v1"})  # a dead letter decides
    assert wants_of_coalition({})
