"""What a service's OpenAPI document says is so: whatever is asked, in its terms or out of them, is answered without a
fault, and with no status that the document does not name.

The cases are the same in every run. Objects that exist are among what they name.
"""

import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, ExitStack
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode
from uuid import uuid4

import httpx2
import pytest
import schemathesis
from anyio.from_thread import BlockingPortal, start_blocking_portal
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import BaseSchema, Case, GenerationMode

from shared.database.roles import SERVICES, role_name
from shared.runtime.retention import SETTLED_DEAD_LETTERS
from tests.support.applications import Route, application, routes_of
from tests.support.databases import made_database
from tests.support.registries import bearing
from tests.support.servers import TestServers
from tests.support.topics import made_topics

CASES_OF_AN_OPERATION = 4  # and as many again that the document does not allow
SAME_EVERY_TIME = settings(
    max_examples=CASES_OF_AN_OPERATION,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
# Children after parents. What they answer gives the ids that paths name.
MADE: dict[str, tuple[tuple[str, dict[str, Any]], ...]] = {
    "members": (
        (
            "/v1/members",
            {"given_name": "Ada", "family_name": "Lovelace", "email": "ada@example.com", "language": "en"},
        ),
        ("/v1/attributes", {"code": "children", "type": "number", "is_personal": False}),
    ),
    "coalition": (
        ("/v1/partners", {"partner_id": "acme", "name": "Acme"}),
        ("/v1/partners/acme/stores", {"store_id": "s1", "name": "First", "time_zone": "UTC"}),
        ("/v1/partners/acme/stores/s1/tills", {"till_id": "t1", "key_scheme": "sequence"}),
        ("/v1/people", {"subject": "ada", "roles": ["approver"]}),
    ),
}
EARLIEST, LATEST = "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"
EXTREME_TEXTS = ("\0", "A\0B", "9" * 25, "-1", "2147483648", "x" * 3_000)
EXTREME_VALUES = (*EXTREME_TEXTS, "0001-01-01", "9999-12-31", EARLIEST, LATEST)
EXTREME_POSITIONS: tuple[tuple[object, ...], ...] = (
    *((2**bits,) * count for bits in (31, 63, 70) for count in (1, 2)),
    *(("A\0",) * count for count in range(1, 5)),
    *((time, other) for time in (EARLIEST, LATEST) for other in ("en", 1, str(uuid4()))),
    *((time, "en", "A\0") for time in (EARLIEST, LATEST)),
    *(("9999-12-31", "A", "A", 2**bits) for bits in (31, 63, 70)),
    ("A", 2**70),
    (None,),
)


# It asks the other services, which are away here: its documented 503 is the right answer.
ASKS_OTHERS = frozenset({"GET /v1/members/{member_id}/export", "POST /v1/returns:quote"})


@dataclass
class Service:
    """A service's application, in an event loop of its own: Hypothesis knows no coroutines."""

    name: str
    app: FastAPI
    portal: BlockingPortal
    known: dict[str, str] = field(default_factory=lambda: {"data_class": SETTLED_DEAD_LETTERS.name})

    def ask(self, method: str, url: str, **request: Any) -> httpx2.Response:
        """Send a request, with a new Idempotency-Key."""
        headers = {"If-Match": '"1"'} | request.pop("headers", {}) | bearing(partner_id=request.pop("partner_id", None))
        return self.portal.call(lambda: self._send(method, url, headers, request))

    def ask_as(self, case: Case[Any], path_parameters: dict[str, str], partner_id: str | None) -> httpx2.Response:
        """Send what schemathesis made up, about these objects."""
        case.path_parameters = (case.path_parameters or {}) | path_parameters
        sent = case.as_transport_kwargs(base_url="http://test")
        body: dict[str, Any] = {"json": sent.get("json")}
        if isinstance(sent.get("data"), dict):
            body = {"data": sent["data"]}
        elif sent.get("data") is not None:
            body = {"content": sent["data"]}
        headers = {name: str(value) for name, value in (sent.get("headers") or {}).items()}
        return self.ask(
            sent["method"], sent["url"], params=sent.get("params"), headers=headers, partner_id=partner_id, **body
        )

    async def _send(self, method: str, url: str, headers: dict[str, str], request: dict[str, Any]) -> httpx2.Response:
        transport = httpx2.ASGITransport(app=self.app, raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.request(method, url, headers=headers, **request)


@pytest.fixture(scope="module", params=SERVICES)
def service(request: pytest.FixtureRequest, stack: TestServers) -> Iterator[Service]:
    """Each service on its own database and topics, with a few objects."""
    with ExitStack() as opened:
        portal = opened.enter_context(start_blocking_portal())

        def enter(context: AbstractAsyncContextManager[Any]) -> Any:
            return opened.enter_context(portal.wrap_async_context_manager(context))

        name: str = request.param
        database, kafka = enter(made_database(stack)), enter(made_topics(stack))
        made = Service(name, enter(application(name, database.url(role_name(name)), kafka)), portal)
        for path, body in MADE.get(name, ()):
            answer = made.ask("POST", path, json=body)
            assert answer.status_code == httpx2.codes.CREATED, answer.text
            made.known |= {field: value for field, value in answer.json().items() if isinstance(value, str)}
        yield made


def test_what_the_document_allows_and_what_it_does_not(service: Service) -> None:
    document = schemathesis.openapi.from_dict(service.app.openapi())
    found = [line for route in routes_of(service.app) for line in wrong_answers(service, route, document)]
    assert found == []


def wrong_answers(service: Service, route: Route, document: BaseSchema) -> list[str]:
    """What is wrong with the answers to cases that are made up from one operation's part of the document."""
    found: list[str] = []
    operation = document[route.path][route.method]
    known = {name: service.known[name] for name in re.findall(r"\{(\w+)\}", route.path) if name in service.known}

    def ask(case: Case[Any], is_known: bool, partner_id: str | None) -> None:
        answer = service.ask_as(case, known if is_known else {}, partner_id)
        found.extend(wrong(route, answer, str(case.body)))

    # What takes nothing from its caller has no case that the document does not allow.
    takes_nothing = "parameters" not in route.told and "requestBody" not in route.told
    for mode in (GenerationMode.POSITIVE,) if takes_nothing else tuple(GenerationMode):
        cases = operation.as_strategy(mode)
        SAME_EVERY_TIME(given(cases, st.booleans(), st.sampled_from([None, "acme"]))(ask))()
    return found


def test_values_at_the_end_of_what_can_be_said(service: Service) -> None:
    found: list[str] = []
    for route in routes_of(service.app):
        for path, query in extremes(route, service.known):
            url = path + ("?" + urlencode(query) if query else "")
            found += wrong(route, service.ask(route.method.upper(), url, json={}), url)
    assert found == []


def wrong(route: Route, answer: httpx2.Response, sent: str) -> list[str]:
    """What is wrong with an answer: a fault, or a status that is not documented."""
    is_told = str(answer.status_code) in route.told["responses"]
    is_away = answer.status_code == httpx2.codes.SERVICE_UNAVAILABLE and str(route) in ASKS_OTHERS
    if is_told and (is_away or answer.status_code < httpx2.codes.INTERNAL_SERVER_ERROR):
        return []
    return [f"{route}: {answer.status_code} to {sent[:300]}: {answer.text[:200]}"]


def extremes(route: Route, known: dict[str, str]) -> Iterator[tuple[str, dict[str, str]]]:
    """The route's requests with one extreme value each, in the path or in the query; all else is as it should be."""

    def path_with(name: str = "", value: str = "") -> str:
        values = known | {name: value}
        return re.sub(r"\{(\w+)\}", lambda found: quote(values.get(found[1], "x"), safe=""), route.path)

    parameters = route.told.get("parameters", ())
    needed = {each["name"]: "1" for each in parameters if each["in"] == "query" and each.get("required")}
    for each in parameters:
        name = each["name"]
        if each["in"] == "path":
            for value in EXTREME_TEXTS:
                yield path_with(name, value), needed
        elif each["in"] == "query":
            for value in cursors() if name == "cursor" else EXTREME_VALUES:
                yield path_with(), needed | {name: value}


def cursors() -> Iterator[str]:
    """Cursors that nobody gave out."""
    for position in EXTREME_POSITIONS:
        yield urlsafe_b64encode(json.dumps(position).encode()).rstrip(b"=").decode()
