"""The routes of members by subject: each file says which routers a subject has and how its refusals are told."""

from services.members.api.subjects import (
    consents,
    exports,
    households,
    identifiers,
    imports,
    joining,
    pins,
    profiles,
    registry,
    standing,
)
from services.members.api.subjects.parts import Parts, Problems, Subject

__all__ = ["SUBJECTS", "Parts", "Problems", "Subject"]

# Routers are tried one after the other: what tills ask for comes first, and then who joins.
SUBJECTS: tuple[Subject, ...] = (
    identifiers.SUBJECT,
    joining.SUBJECT,
    registry.SUBJECT,
    exports.SUBJECT,
    imports.SUBJECT,
    consents.SUBJECT,
    standing.SUBJECT,
    profiles.SUBJECT,
    households.SUBJECT,
    pins.SUBJECT,
)
