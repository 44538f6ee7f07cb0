"""By what points are priced: the rules in force, and before any were published what the settings say. Pure."""

from dataclasses import replace
from datetime import UTC, datetime

from services.redemption.domain.tender import Pricing
from services.redemption.domain.write_off.rules import Rate, WriteOffHistory, WriteOffRules

# The version of quotes that were given before any rules were published.
UNPUBLISHED = 0


def rules_at(history: WriteOffHistory, moment: datetime, pricing: Pricing) -> WriteOffRules:
    """The rules that price a checkout of this moment."""
    return history.at(moment) or by_settings(pricing)


def rules_of(history: WriteOffHistory, version: int, pricing: Pricing) -> WriteOffRules:
    """The rules that a quote was given by.

    Raises:
        KeyError: this version has not been read yet.
    """
    return by_settings(pricing) if version == UNPUBLISHED else history.version(version)


def pricing_at(history: WriteOffHistory, moment: datetime, pricing: Pricing) -> Pricing:
    """What points are worth at a moment where nothing was quoted: the last rate, which fits all goods everywhere."""
    rules = history.at(moment)
    if rules is None:
        return pricing
    base = rules.rates[-1]
    return replace(pricing, minor_per_point=base.per_minor, own_points=base.points)


def by_settings(pricing: Pricing) -> WriteOffRules:
    """One price for everything, and no limit."""
    base = Rate(id="base", name="The programme's price", points=pricing.own_points, per_minor=pricing.minor_per_point)
    return WriteOffRules(rates=(base,), version=UNPUBLISHED, effective_from=datetime(1970, 1, 1, tzinfo=UTC))
