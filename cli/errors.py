"""What a command says when it cannot do what it was asked."""


class CommandError(Exception):
    """An expected failure. The message says what happened and what to do; no traceback is needed."""
