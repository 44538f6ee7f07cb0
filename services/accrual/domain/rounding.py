"""Exact points (whole numbers over a denominator, never below 0) become whole ones, by the rounding of a rule."""

from services.accrual.domain.rules.rule import Rounding


def rounded(exact: int, denominator: int, rounding: Rounding) -> int:
    """Whole points of ``exact / denominator``."""
    if rounding == "floor":
        return exact // denominator
    if rounding == "half_up":
        return (2 * exact + denominator) // (2 * denominator)
    if rounding == "ceiling":
        return -(-exact // denominator)
    whole, rest = divmod(exact, denominator)  # half_even: a half goes to the even neighbour
    return whole + (2 * rest > denominator or (2 * rest == denominator and whole % 2 == 1))
