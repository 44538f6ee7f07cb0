"""Exports: everything that is kept of a member, over all services."""

from fastapi import APIRouter

from services.members.api.exports import exports_router
from services.members.api.subjects.parts import Parts, Subject
from services.members.domain.exports import ExportTooLargeError


def _routers(parts: Parts) -> tuple[APIRouter, ...]:
    return (exports_router(parts.exporter),)


SUBJECT = Subject(_routers, {ExportTooLargeError: (409, "export-too-large", "Export too large")})
