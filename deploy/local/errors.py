"""What can go wrong on somebody's machine, said so that they can cure it."""


class StackError(Exception):
    """An expected failure of the local stack. The message says what happened and what to do; no traceback is needed."""
