"""``ETag`` and ``If-Match``: who changes something says which version of it was read (RFC 9110 §13.1.1).

An entity's tag is its ``version``. A change that names another version than the present one is refused, so that two
people who edit at once do not undo each other's work. Whoever compares holds the entity's lock.
"""

import re
from typing import Annotated, TypeAlias

from fastapi import Depends, Header

from shared.web.problems import Problem

_TAG = re.compile(r'"([1-9][0-9]{0,17})"')


class VersionChangedError(Exception):
    """The change names another version than the present one: read again, and decide again."""

    def __init__(self, version: int) -> None:
        super().__init__(f"this was changed meanwhile and is at version {version} now: read it, then change that")
        self.version = version


def etag(version: int) -> dict[str, str]:
    """The header that tells an entity's version."""
    return {"ETag": f'"{version}"'}


def require_version(expected: int, version: int) -> None:
    """Refuse a change of another version than the present one, which is locked.

    Raises:
        VersionChangedError: it was changed meanwhile.
    """
    if expected != version:
        raise VersionChangedError(version)


async def _read_if_match(
    if_match: Annotated[
        str | None,
        Header(alias="If-Match", description='The ETag of the version that is changed, as "3".'),
    ] = None,
) -> int:
    if if_match is None:
        raise Problem(
            428,
            "if-match-missing",
            "Say which version you change: send If-Match with the ETag that reading it gave.",
        )
    found = _TAG.fullmatch(if_match.strip())
    if found is None:
        raise Problem(412, "version-changed", 'If-Match names no version: send one ETag as it was given, as "3".')
    return int(found[1])


IfMatch: TypeAlias = Annotated[int, Depends(_read_if_match)]
"""A route's parameter: the version that the caller has read."""
