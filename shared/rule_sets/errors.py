"""Why a rule set may not take a step. Each message says what to do instead."""


class RuleSetNotFoundError(Exception):
    """No rule set has this id, or no published one this version."""


class RuleSetStateError(Exception):
    """The rule set is not where this step begins."""


class OwnDraftError(Exception):
    """Who wrote, changed or submitted a rule set does not decide on it."""


class PublishedTooLateError(Exception):
    """It would take effect, or no longer do so, before every worker can know of it."""


class EffectiveTimeTakenError(Exception):
    """Another version takes effect at that very moment."""


class NoSuccessorError(Exception):
    """Receipts would be judged by no version, or by one that is retired."""
