"""What a return or a void did, in plain words."""

from typing import Literal


def undone_in_words(cause: Literal["return", "void"], points: int, became_debt: int, clipped: int) -> list[str]:
    """One sentence a fact, for a support agent who must explain it to a member."""
    words = {
        "return": f"Goods came back: what they had earned, {points} points, was taken back.",
        "void": f"The receipt was voided: all that was left of what it had earned, {points} points, was taken back.",
    }
    owed = f"{became_debt} of them were not there any more: they are owed, and later points clear them first."
    left = f"{clipped} more had been spent: by the rules nobody owes them, and whoever issued them bears them."
    return [words[cause], *([owed] if became_debt else []), *([left] if clipped else [])]


def voided_in_words(taken_back: int) -> str:
    """What became of an award whose receipt was voided."""
    return f"The receipt was voided later: of these points {taken_back} were taken back, and none are left."
