"""What requests about households are refused with over HTTP."""

from services.members.domain import household_errors as errors

HOUSEHOLD_PROBLEMS: dict[type[Exception], tuple[int, str, str]] = {
    errors.HouseholdChangesExhaustedError: (409, "household-changes-exhausted", "Household changes exhausted"),
    errors.HouseholdFullError: (409, "household-full", "Household full"),
    errors.HouseholdNotFoundError: (404, "not-found", "Not found"),
    errors.InHouseholdError: (409, "in-household", "In household"),
    errors.InvitationExpiredError: (409, "invitation-expired", "Invitation expired"),
    errors.InvitationUnknownError: (404, "invitation-unknown", "Invitation unknown"),
    errors.LeavingTermsNotAgreedError: (409, "leaving-terms-not-agreed", "Leaving terms not agreed"),
    errors.NotInHouseholdError: (409, "not-in-household", "Not in household"),
    errors.RightNotTheirsError: (409, "right-not-theirs", "Right not theirs"),
}
