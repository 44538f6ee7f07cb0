"""What points may be spent on, in words that a member understands. Pure."""

from shared.ledger import Usable
from shared.ledger.telling import limits_in_words


def usable_in_words(usable: Usable) -> str:
    """For instance: 40 usable at fuel, for goods of oil or coffee, until 2026-12-31."""
    where = "anywhere" if usable.limits is None else limits_in_words(usable.limits)
    return f"{usable.available} usable {where}"
