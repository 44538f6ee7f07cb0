"""What may be said of a person beyond what a schema can check."""

from datetime import date

from services.members.domain.errors import BornLaterError


def judge_birth_date(born: date | None, today: date) -> None:
    """Whether somebody can have been born then.

    Raises:
        BornLaterError
    """
    if born is not None and born > today:
        raise BornLaterError("/birth_date: it lies after today; send the day of birth as YYYY-MM-DD")
