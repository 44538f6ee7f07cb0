"""From a validation error's location to the field that its sender knows."""

from collections.abc import Sequence
from typing import Any

TOKEN_LENGTH_MAX = 80

_ABSENT = object()


def pointer_of(location: Sequence[int | str], body: object, *, is_missing: bool) -> str:
    """The RFC 6901 pointer of ``location`` (without its leading "body") in the body as it was sent.

    pydantic puts names of union members and of validators into locations; what the body does not have is left out,
    except the last step of a field that is missing.
    """
    steps: list[str] = []
    here = body
    for position, step in enumerate(location):
        below = _below(here, step)
        if below is not _ABSENT:
            steps.append(str(step))
            here = below
        elif is_missing and position == len(location) - 1:
            steps.append(str(step))
    return "".join("/" + _escape(step) for step in steps)


def _below(here: object, step: int | str) -> Any:
    if isinstance(here, dict):
        return here.get(step, _ABSENT)
    if isinstance(here, list) and isinstance(step, int) and 0 <= step < len(here):
        return here[step]
    return _ABSENT


def _escape(step: str) -> str:
    return step[:TOKEN_LENGTH_MAX].replace("~", "~0").replace("/", "~1")
