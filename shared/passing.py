"""Refusals that are true only for now."""


class PassingError(Exception):
    """What is asked for is refused until something is here that is on its way, or somebody else is done.

    Nothing was changed. Asked again a moment later, word for word, it may go, also under the same ``Idempotency-Key``.
    """
