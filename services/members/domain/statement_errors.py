"""Why a statement of a member (a consent, an acceptance of terms) is refused, or what it refers to."""

from services.members.domain.errors import RegistryRefusalError


class StatedInFutureError(RegistryRefusalError):
    """What is recorded is said to have happened later than now."""


class ConsentTextUnknownError(RegistryRefusalError):
    """No such text was declared for the purpose and channel."""


class NeedsConfirmationError(RegistryRefusalError):
    """The consent holds once its owner has confirmed it, which cannot be awaited here."""


class ConsentTextExistsError(RegistryRefusalError):
    """The text has been declared already, and texts never change."""


class ConfirmationUnknownError(RegistryRefusalError):
    """No consent waits for this token."""


class ConfirmationUsedError(RegistryRefusalError):
    """The token was used already."""


class ConfirmationExpiredError(RegistryRefusalError):
    """The token came too late."""


class ConsentSupersededError(RegistryRefusalError):
    """The member has said something newer since."""


class TermsUnknownError(RegistryRefusalError):
    """There is no such version in this language."""


class TermsNotPublishedError(RegistryRefusalError):
    """What is accepted is not published."""


class TermsPublishedError(RegistryRefusalError):
    """The version is published, and what is published never changes."""


class TermsOutOfOrderError(RegistryRefusalError):
    """A version would take effect before one that is published."""


class AnnouncedTooEarlyError(RegistryRefusalError):
    """A change is said to have been announced before it was settled."""


class NoticeTooShortError(RegistryRefusalError):
    """A change takes effect too soon after its announcement."""


class AttributeExistsError(RegistryRefusalError):
    """An attribute with this code is declared already, and attributes never change."""


class AttributeUnknownError(RegistryRefusalError):
    """No attribute with this code is declared."""


class AttributeValueError(RegistryRefusalError):
    """The value is not of the attribute's type."""


class FieldNotFilledError(RegistryRefusalError):
    """There is no value that could have been checked."""
