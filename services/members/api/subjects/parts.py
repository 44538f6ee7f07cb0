"""What the routers of this service are made from."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from fastapi import APIRouter

from services.members.domain.identities import Identities
from services.members.sealing.master_keys import MasterKeys
from services.members.settings import MembersSettings
from services.members.use_cases.export_member import MemberExporter
from services.members.use_cases.import_members import MemberImporter
from shared.database import Database
from shared.sealing import Seal

Problems: TypeAlias = dict[type[Exception], tuple[int, str, str]]


@dataclass(frozen=True, slots=True)
class Parts:
    """Made once a process: what outlives a request, and the settings."""

    settings: MembersSettings
    database: Database
    identities: Identities
    master_keys: MasterKeys
    seal: Seal
    importer: MemberImporter
    exporter: MemberExporter


@dataclass(frozen=True, slots=True)
class Subject:
    """What one subject serves, and the problems that its refusals become over HTTP."""

    routers: Callable[[Parts], tuple[APIRouter, ...]]
    problems: Problems
