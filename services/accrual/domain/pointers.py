"""RFC 6901 pointers into a document."""


def below(pointer: str, step: int | str) -> str:
    """The pointer of a field, or of an item, of what ``pointer`` names."""
    return f"{pointer}/{str(step).replace('~', '~0').replace('/', '~1')}"
