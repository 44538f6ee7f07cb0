"""Why the registry refuses."""


class CoalitionRefusalError(Exception):
    """Decided with the facts at hand: the same request gets the same answer until the registry changes."""


class PartnerNotFoundError(CoalitionRefusalError):
    """No partner has this id."""


class PartnerExistsError(CoalitionRefusalError):
    """The id is another partner's already."""


class StoreNotFoundError(CoalitionRefusalError):
    """The partner has no store with this id."""


class StoreExistsError(CoalitionRefusalError):
    """The partner has a store with this id already."""


class TillExistsError(CoalitionRefusalError):
    """The store has a till with this id already."""


class ClientExistsError(CoalitionRefusalError):
    """The id is another API client's already."""


class ScopeNotForPartnersError(CoalitionRefusalError):
    """A client that is bound to a partner may never have this scope."""
