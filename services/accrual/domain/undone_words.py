"""What a return, a void or a correction did, in plain words."""

from services.accrual.domain.decisions import Cause
from services.accrual.domain.point_words import in_points
from services.accrual.domain.unlinked_cases import UnlinkedCase


def undone_in_words(
    cause: Cause,
    points: int,
    became_debt: int,
    clipped: int,
    given_back: int = 0,
    *,
    is_voided: bool = False,
    paid_ahead: int = 0,
    withheld: int = 0,
) -> list[str]:
    """One sentence a fact, for a support agent who must explain it to a member. Of what a void gave again,
    ``paid_ahead`` was for goods that the receipt had handed over. For those ``withheld`` the refund was smaller.
    """
    earned, again, for_prepaid = in_points(points), in_points(given_back), in_points(paid_ahead)
    words = {
        "return": f"Goods came back: what they had earned, {earned}, was taken back.",
        "exchange": f"Goods came back for others: what they had earned, {earned}, was taken back.",
        "handover": f"Goods that were paid ahead were handed over: their receipt earns what this had, {earned}.",
        "void": f"The receipt was voided: all that was left of what it had earned, {earned}, was taken back.",
    }
    given = f"What the exchange had taken back for the goods that had come in, {again}, was given again."
    ahead = f"What it had taken of receipts in which its goods were paid ahead, {for_prepaid}, was given again."
    voided = "The exchange was voided later: what it had taken back was given again, as far as its goods were kept."
    told = [words[cause], *_what_was_gone(became_debt, clipped)]
    if withheld:
        told.append(f"{withheld} more were not taken: the till kept money of the refund for them.")
    return [*told, *([given] if given_back else []), *([ahead] if paid_ahead else []), *([voided] if is_voided else [])]


def unlinked_in_words(case: UnlinkedCase) -> list[str]:
    """The same of a return that names no purchase, by what became of it."""
    first = "The return names no purchase."
    match case.state:
        case "ignored":
            return [f"{first} By the rules in force when it was made it is kept, and takes no points."]
        case "dismissed":
            return [f"{first} Two people looked at it, and it takes no points: {case.reason_code}."]
        case "taken_back":
            given = in_points(case.points + case.clipped)
            taken = f"By the rules in force when it was made its goods give {given} by"
            words = f"{first} {taken} themselves, of which {case.points} were taken back."
            return [words, *_what_was_gone(case.became_debt, case.clipped)]
        case _:
            return [first]


def _what_was_gone(became_debt: int, clipped: int) -> list[str]:
    owed = f"{became_debt} of them were not there any more: they are owed, and later points clear them first."
    left = f"{clipped} more had been spent: by the rules nobody owes them, and whoever issued them bears them."
    return [*([owed] if became_debt else []), *([left] if clipped else [])]


def handed_over_in_words(taken_back: int) -> str:
    """What became of an award for goods that were paid ahead, once they were handed over."""
    gone = in_points(taken_back)
    return f"Its goods were handed over later: their receipt earns what they give, and {gone} went back."


def voided_in_words(taken_back: int) -> str:
    """What became of an award whose receipt was voided."""
    return f"The receipt was voided later: of these points {taken_back} were taken back, and none are left."


def corrected_in_words(points_before: int, points_after: int, points_moved: int, became_debt: int) -> list[str]:
    """What a correction made of an award, by the rules and at the time of the receipt itself."""
    earns = f"The receipt was corrected: it had earned {in_points(points_before)}, and earns {points_after}."
    if not points_moved:
        return [f"{earns} No points moved."]
    moved = f"{in_points(points_moved)} more were given." if points_moved > 0 else f"{-points_moved} were taken back."
    owed = f"{became_debt} of them were not there any more: they are owed, and later points clear them first."
    return [f"{earns} {moved}", *([owed] if became_debt else [])]
