"""HTTP, the same in every service: problems, credentials, idempotency, pages, health.

What a service needs stands here by name; the modules say what it guarantees.
"""

from shared.web.answers import Answer, Decided, Left, ProblemAnswer, UnderWay
from shared.web.app import create_app
from shared.web.authentication import Authenticator
from shared.web.authorisation import requires, unprotected_routes
from shared.web.external_issuers import ExternalIssuer
from shared.web.health import Check
from shared.web.idempotency import IDEMPOTENCY_DDL, forget_answers, idempotent
from shared.web.key_sources import HttpKeySource
from shared.web.keyed_requests import IdempotencyKey, KeyedRequest
from shared.web.keys import KeySource, KeysUnavailableError, StaticKeySource
from shared.web.paging import Page, PageRequest, Paging, decode_cursor, encode_cursor
from shared.web.preconditions import IfMatch, VersionChangedError, etag, require_version
from shared.web.principal import Principal, TillIdentity
from shared.web.problems import FieldError, Problem, ProblemBody, invalid_field, not_found, problems
from shared.web.programme_only import refuse_partners
from shared.web.request_context import current_request_id
from shared.web.sharing import Shared, Sharing
from shared.web.shown_once import opened
from shared.web.strict import (
    AwareTime,
    Body,
    CodeText,
    Flag,
    Minor,
    NonNegativeMinor,
    PositiveMinor,
    PositivePoints,
    PositiveQuantity,
    Text,
    WholeNumber,
)
from shared.web.tills import till_key_sha256

__all__ = [
    "IDEMPOTENCY_DDL",
    "Answer",
    "Authenticator",
    "AwareTime",
    "Body",
    "Check",
    "CodeText",
    "Decided",
    "ExternalIssuer",
    "FieldError",
    "Flag",
    "HttpKeySource",
    "IdempotencyKey",
    "IfMatch",
    "KeySource",
    "KeyedRequest",
    "KeysUnavailableError",
    "Left",
    "Minor",
    "NonNegativeMinor",
    "Page",
    "PageRequest",
    "Paging",
    "PositiveMinor",
    "PositivePoints",
    "PositiveQuantity",
    "Principal",
    "Problem",
    "ProblemAnswer",
    "ProblemBody",
    "Shared",
    "Sharing",
    "StaticKeySource",
    "Text",
    "TillIdentity",
    "UnderWay",
    "VersionChangedError",
    "WholeNumber",
    "create_app",
    "current_request_id",
    "decode_cursor",
    "encode_cursor",
    "etag",
    "forget_answers",
    "idempotent",
    "invalid_field",
    "not_found",
    "opened",
    "problems",
    "refuse_partners",
    "require_version",
    "requires",
    "till_key_sha256",
    "unprotected_routes",
]
