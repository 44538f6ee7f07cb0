"""Money is a whole number of minor units and an ISO 4217 code; points are whole numbers of their smallest unit."""

from collections.abc import Sequence
from decimal import Decimal

import pycountry

# ISO 4217 gives most currencies two decimals; these are the exceptions in force (list one of the standard).
_EXPONENTS = (
    dict.fromkeys(
        (
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "UYI",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ),
        0,
    )
    | dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3)
    | dict.fromkeys(("CLF", "UYW"), 4)
)


def is_currency(code: str) -> bool:
    """Whether ISO 4217 knows this code."""
    return pycountry.currencies.get(alpha_3=code) is not None


def currency_exponent(code: str) -> int:
    """How many decimals the currency's minor unit stands for: 2 for USD, 0 for JPY."""
    return _EXPONENTS.get(code, 2)


def format_money(amount_minor: int, currency: str) -> str:
    """For people: ``12.30 USD``."""
    exponent = currency_exponent(currency)
    return f"{Decimal(amount_minor).scaleb(-exponent):,.{exponent}f} {currency}"


def share_out(total: int, weights: Sequence[int]) -> list[int]:
    """``total`` in whole parts proportional to ``weights``, by largest remainder; the first wins among equals.

    The parts add up to ``total`` exactly. All weights zero: all parts zero.
    """
    whole = sum(weights)
    if whole == 0 or total == 0:
        return [0] * len(weights)
    parts = [total * weight // whole for weight in weights]
    missing = total - sum(parts)
    if missing:
        by_remainder = sorted(range(len(weights)), key=lambda index: (-(total * weights[index] % whole), index))
        for index in by_remainder[:missing]:
            parts[index] += 1
    return parts
