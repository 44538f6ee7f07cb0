"""Joining: enrolment, its conditions, and referral codes."""

from fastapi import APIRouter

from services.members.api.enrolment import enrolment_router
from services.members.api.joining import joining_router
from services.members.api.subjects.parts import Parts, Subject
from services.members.domain import errors
from services.members.domain.joining import JoiningRefusedError
from services.members.domain.referral import ReferralCodeError


def _routers(parts: Parts) -> tuple[APIRouter, ...]:
    return (
        enrolment_router(parts.database, parts.identities, parts.master_keys),
        joining_router(parts.database),
    )


SUBJECT = Subject(
    _routers,
    {
        errors.AlreadyEnrolledError: (409, "already-enrolled", "Already enrolled"),
        errors.BornLaterError: (422, "invalid-request", "Invalid request"),
        errors.PersonKnownError: (409, "person-known", "Person known"),
        JoiningRefusedError: (422, "joining-refused", "Joining refused"),
        ReferralCodeError: (422, "referral-code", "Referral code"),
    },
)
