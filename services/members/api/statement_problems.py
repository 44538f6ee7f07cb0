"""What statements are refused with over HTTP."""

from services.members.domain import statement_errors as errors
from shared.sealing import SealBrokenError

STATEMENT_PROBLEMS: dict[type[Exception], tuple[int, str, str]] = {
    errors.AttributeExistsError: (409, "attribute-exists", "Attribute exists"),
    errors.AttributeUnknownError: (404, "attribute-unknown", "Attribute unknown"),
    errors.AttributeValueError: (422, "invalid-request", "Invalid request"),
    errors.ConfirmationExpiredError: (409, "confirmation-expired", "Confirmation expired"),
    errors.ConfirmationUnknownError: (404, "confirmation-unknown", "Confirmation unknown"),
    errors.ConfirmationUsedError: (409, "confirmation-used", "Confirmation used"),
    errors.ConsentSupersededError: (409, "consent-superseded", "Consent superseded"),
    errors.ConsentTextExistsError: (409, "consent-text-exists", "Consent text exists"),
    errors.ConsentTextUnknownError: (422, "consent-text-unknown", "Consent text unknown"),
    errors.NeedsConfirmationError: (422, "needs-confirmation", "Needs confirmation"),
    errors.StatedInFutureError: (422, "stated-in-future", "Stated in future"),
    errors.AnnouncedTooEarlyError: (422, "announced-too-early", "Announced too early"),
    errors.FieldNotFilledError: (409, "field-not-filled", "Field not filled"),
    errors.NoticeTooShortError: (409, "notice-too-short", "Notice too short"),
    errors.TermsNotPublishedError: (422, "terms-not-published", "Terms not published"),
    errors.TermsOutOfOrderError: (409, "terms-out-of-order", "Terms out of order"),
    errors.TermsPublishedError: (409, "terms-published", "Terms published"),
    errors.TermsUnknownError: (404, "terms-unknown", "Terms unknown"),
    SealBrokenError: (409, "secret-not-available", "Secret not available"),
}
