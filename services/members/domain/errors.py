"""Why the registry refuses. No message names a person, an identifier's value, or the member who has it."""

from uuid import UUID


class RegistryRefusalError(Exception):
    """Decided with the facts at hand: the same request gets the same answer until the registry changes."""


class MemberNotFoundError(RegistryRefusalError):
    """No member has this id."""


class AlreadyEnrolledError(RegistryRefusalError):
    """The e-mail address belongs to a member already."""


class IdentifierTakenError(RegistryRefusalError):
    """The identifier belongs to another member."""


class MemberGoneError(RegistryRefusalError):
    """The member is merged, closed or erased."""


class MemberMergedError(MemberGoneError):
    """The member was merged into another one, which answers for it: nothing is changed under the old id."""

    def __init__(self, survivor_id: UUID) -> None:
        super().__init__(f"the member was merged into {survivor_id}: send this request for that one")
        self.survivor_id = survivor_id


class MergeIntoItselfError(RegistryRefusalError):
    """A member is to be merged into itself."""


class MergeLiftsLimitError(RegistryRefusalError):
    """The member that goes is limited in a way in which the one that stays is not."""


class StatusChangeRefusedError(RegistryRefusalError):
    """The status may not follow the present one."""


class UnknownReasonError(RegistryRefusalError):
    """The programme does not declare the reason."""


class BornLaterError(RegistryRefusalError):
    """The date of birth lies in the future."""


class PersonUnknownError(RegistryRefusalError):
    """The member's card joined first, and nobody has said yet who it is."""


class PersonKnownError(RegistryRefusalError):
    """It was said already who the member is."""


class IdentifierUnknownError(RegistryRefusalError):
    """The identifier belongs to nobody."""


class IdentifierNotActiveError(RegistryRefusalError):
    """The identifier is somebody's, and was blocked, lost or replaced."""

    def __init__(self, state: str) -> None:
        super().__init__(f"the identifier is {state}: use another one of the member's")


class IdentifierStateError(RegistryRefusalError):
    """The identifier is in a state from which this cannot happen to it."""

    def __init__(self, state: str, action: str) -> None:
        super().__init__(f"the identifier is {state}: {action.replace('_', ' ')} does not lead on from there")


class UnlikeReplacementError(RegistryRefusalError):
    """An identifier is replaced by another one of its type."""


class IdentifierKeyInUseError(RegistryRefusalError):
    """An identifier key cannot be done without."""


class WrongIdentifierKeyError(RegistryRefusalError):
    """A valid key is not the one that identifiers of its version were hashed with."""


class CardNotIssuedError(RegistryRefusalError):
    """The card lies in a range whose cards may not be linked now."""


class CardRangeNotFoundError(RegistryRefusalError):
    """No range has this id."""


class CardRangeOverlapsError(RegistryRefusalError):
    """Some of a new range's numbers are in another one."""


class CardRangeStateError(RegistryRefusalError):
    """A range cannot change so from its present state."""
