"""A bound below, a bound above, or both."""

from pydantic import model_validator

from services.accrual.domain.rules.values import Frozen


class Range(Frozen):
    """From ``at_least`` up to and including ``at_most``; one of them may be absent."""

    @model_validator(mode="after")
    def _check_range(self) -> "Range":
        least, most = (
            next((value for name, value in self if name.startswith(prefix)), None) for prefix in ("at_least", "at_most")
        )
        if least is None and most is None:
            raise ValueError("name at_least, at_most or both")
        if least is not None and most is not None and least > most:
            raise ValueError("at_least is above at_most: nothing could ever match")
        return self
