"""Why something is refused about a household."""

from services.members.domain.errors import RegistryRefusalError


class HouseholdNotFoundError(RegistryRefusalError):
    """No household has this id."""


class InHouseholdError(RegistryRefusalError):
    """The member belongs to a household already."""


class LeavingTermsNotAgreedError(RegistryRefusalError):
    """The member has not agreed to what becomes of their points when they leave."""


class NotInHouseholdError(RegistryRefusalError):
    """The member does not belong to this household."""


class HouseholdFullError(RegistryRefusalError):
    """The household has as many members, with those who are invited, as one may have."""


class HouseholdChangesExhaustedError(RegistryRefusalError):
    """The member has joined and left as often in a year as anybody may."""


class InvitationUnknownError(RegistryRefusalError):
    """No invitation of this member has this token: it was used, replaced or ended, or never was."""


class InvitationExpiredError(RegistryRefusalError):
    """The invitation came to its end before it was accepted."""


class RightNotTheirsError(RegistryRefusalError):
    """The member in whose name a right is changed may not change it."""
