"""Why the registry refuses."""


class CoalitionRefusalError(Exception):
    """Decided with the facts at hand: the same request gets the same answer until the registry changes."""


class PartnerNotFoundError(CoalitionRefusalError):
    """No partner has this id."""


class PartnerExistsError(CoalitionRefusalError):
    """The id is another partner's already."""


class StateChangeError(CoalitionRefusalError):
    """No way leads from the partner's state to that one."""


class LeavingDatesError(CoalitionRefusalError):
    """The days of a partner who is leaving do not fit together, or are not over yet."""


class StoreNotFoundError(CoalitionRefusalError):
    """The partner has no store with this id."""


class StoreExistsError(CoalitionRefusalError):
    """The partner has a store with this id already."""


class TillNotFoundError(CoalitionRefusalError):
    """The store has no till with this id."""


class TillExistsError(CoalitionRefusalError):
    """The store has a till with this id already."""


class OperatorNotFoundError(CoalitionRefusalError):
    """The partner has no operator with this hash."""


class OperatorExistsError(CoalitionRefusalError):
    """The partner has this operator already."""


class OperatorLeftError(CoalitionRefusalError):
    """The operator has left, and of those who left no own card is kept."""


class ShiftClosedOtherwiseError(CoalitionRefusalError):
    """The till stated other figures for this shift before."""


class CategoryExistsError(CoalitionRefusalError):
    """The tree has a category with this id."""


class CategoryNotFoundError(CoalitionRefusalError):
    """The tree has no category with this id."""


class TreeTooDeepError(CoalitionRefusalError):
    """The category would stand too far below the root."""


class ArticleNotFoundError(CoalitionRefusalError):
    """The partner has no article with this number."""


class ArticleImportNotFoundError(CoalitionRefusalError):
    """The partner has no import of articles with this id."""


class TooManyExclusionsError(CoalitionRefusalError):
    """The partner changed as often which articles earn as every process keeps in memory."""


class ClientExistsError(CoalitionRefusalError):
    """The id is another API client's already."""


class ClientNotFoundError(CoalitionRefusalError):
    """No API client has this id."""


class RolesNotForPartnersError(CoalitionRefusalError):
    """Roles and binding do not go together."""


class ClientRevokedError(CoalitionRefusalError):
    """The API client was revoked, which is final."""


class ClientOfSettingsError(CoalitionRefusalError):
    """The settings say what this API client's secret and scopes are, and would say so again at the next start."""


class TooManyClientsError(CoalitionRefusalError):
    """As many API clients are registered as every process keeps in memory."""


class ScopeNotForPartnersError(CoalitionRefusalError):
    """A client that is bound to a partner may never have this scope."""


class ContractNotFoundError(CoalitionRefusalError):
    """No contract has this id, or it is another partner's."""


class ContractStateError(CoalitionRefusalError):
    """The contract has not come this far, or is past it."""


class OwnDraftError(CoalitionRefusalError):
    """Four eyes: nobody decides on what they wrote themselves."""


class PublishedTooLateError(CoalitionRefusalError):
    """What takes effect at a time is published before it, so that everybody knows of it by then."""


class CurrencyDiffersError(CoalitionRefusalError):
    """A partner's contracts and payments are in one currency."""


class ContractOverlapsError(CoalitionRefusalError):
    """Another approved contract of the partner holds at the same time."""


class ExclusivityClashError(CoalitionRefusalError):
    """Another partner has the category in the territory for itself."""


class DocumentTakenError(CoalitionRefusalError):
    """The document number stands for another payment of the partner."""
