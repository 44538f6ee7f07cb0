"""Bad input to a small application: which problem it gets, and which field the problem names."""

from collections.abc import AsyncIterator
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

import httpx2
import orjson
import pytest
from fastapi import APIRouter
from prometheus_client import REGISTRY
from pydantic import Field

from shared.web import (
    AwareTime,
    Body,
    CodeText,
    Page,
    Paging,
    PositiveMinor,
    PositiveQuantity,
    Problem,
    Text,
    create_app,
    encode_cursor,
)
from shared.web.body_limit import BODY_BYTES_MAX


class Line(Body):
    """One line, and those bundled with it."""

    amount_minor: PositiveMinor
    quantity: PositiveQuantity = Decimal(1)
    labels: tuple[str, ...] = ()
    bundled: "tuple[Line, ...]" = ()


class ByCard(Body):
    """One kind of tender."""

    kind: Literal["card"]
    reference: Text


class ByPoints(Body):
    """Another kind of tender."""

    kind: Literal["points"]
    points: int


class Receipt(Body):
    """A body with everything that can go wrong."""

    store_id: CodeText
    lines: list[Line]
    tender: Annotated[ByCard | ByPoints, Field(discriminator="kind")]
    ended_at: AwareTime
    business_date: date | None = None
    member_id: UUID | None = None
    is_offline: bool = False
    note: Text | None = None


class SomethingWrongError(Exception):
    """An error of the domain."""


router = APIRouter(prefix="/v1")


@router.post("/receipts")
async def accept(body: Receipt) -> dict[str, Any]:
    """Echo what was understood."""
    return body.model_dump(mode="json")


@router.get("/items")
async def items(page: Paging) -> Page[str]:
    """A list."""
    return Page.of(range(page.limit + 1), page.limit, ["a"], ["a", 7])


@router.get("/failing")
async def failing() -> None:
    """A fault whose message nobody outside may see."""
    raise ValueError("the password is hunter2")


@router.get("/declined")
async def declined() -> None:
    """An error of the domain."""
    raise SomethingWrongError("the contract ended yesterday: renew it")


@router.get("/away")
async def away() -> None:
    """An outage."""
    raise ConnectionRefusedError("connect to 10.0.0.5 failed")


@router.get("/teapot")
async def teapot() -> None:
    """A problem with everything."""
    raise Problem(
        418, "teapot", "I am one.", extensions={"spout": "short", "status": 200}, headers={"Retry-After": "9"}
    )


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    app = create_app(
        title="test",
        authenticator=None,
        routers=[router],
        domain_problems={SomethingWrongError: (409, "something-wrong", "Something is wrong")},
    )
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://test") as opened:
        yield opened


def receipt(**changes: Any) -> dict[str, Any]:
    good: dict[str, Any] = {
        "store_id": "S-1",
        "lines": [{"amount_minor": 1250, "quantity": "1.5"}],
        "tender": {"kind": "card", "reference": "x"},
        "ended_at": "2026-03-01T09:30:00+01:00",
    }
    return good | changes


def line(**changes: Any) -> dict[str, Any]:
    return {"lines": [{"amount_minor": 100} | changes]}


async def test_a_good_body_is_taken(client: httpx2.AsyncClient) -> None:
    answer = await client.post("/v1/receipts", json=receipt(business_date="2026-03-01", is_offline=True, **line()))

    assert answer.status_code == 200
    assert answer.json()["lines"][0] == {"amount_minor": 100, "quantity": "1", "labels": [], "bundled": []}


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        pytest.param(line(amount_minor=False), "/lines/0/amount_minor", id="false for a number"),
        pytest.param(line(amount_minor="100"), "/lines/0/amount_minor", id="a text for a number"),
        pytest.param(line(amount_minor=1.0), "/lines/0/amount_minor", id="a fraction for a whole number"),
        pytest.param(line(amount_minor=-5), "/lines/0/amount_minor", id="a negative amount"),
        pytest.param(line(amount_minor=2**70), "/lines/0/amount_minor", id="a number beyond 64 bits"),
        pytest.param(line(quantity=True), "/lines/0/quantity", id="true for a decimal"),
        pytest.param(line(quantity=-1), "/lines/0/quantity", id="a negative quantity"),
        pytest.param(line(quantity="NaN"), "/lines/0/quantity", id="not a number"),
        pytest.param(line(quantity="0.0005"), "/lines/0/quantity", id="less than a thousandth"),
        pytest.param(line(labels=["fine", "with\u0000nul"]), "/lines/0/labels/1", id="a control character"),
        pytest.param(
            line(bundled=[{"amount_minor": 1}, {"amount_minor": False}]),
            "/lines/0/bundled/1/amount_minor",
            id="false, deep inside",
        ),
        pytest.param({"lines": [{}]}, "/lines/0/amount_minor", id="a missing field"),
        pytest.param({"lines": "none"}, "/lines", id="a text for a list"),
        pytest.param({"lines": [7]}, "/lines/0", id="a number for an object"),
        pytest.param({"tender": {"kind": "points", "points": "5"}}, "/tender/points", id="wrong inside a union"),
        pytest.param({"tender": {"kind": "points"}}, "/tender/points", id="missing inside a union"),
        pytest.param({"tender": {"kind": "cash"}}, "/tender", id="an unknown kind"),
        pytest.param({"tender": {}}, "/tender", id="no kind"),
        pytest.param({"ended_at": "2026-03-01T09:30:00"}, "/ended_at", id="a naive time"),
        pytest.param({"ended_at": 1772353800}, "/ended_at", id="a number for a time"),
        pytest.param({"ended_at": "1772353800"}, "/ended_at", id="a number in a text for a time"),
        pytest.param({"business_date": "2026-03-01T00:00:00"}, "/business_date", id="a time for a date"),
        pytest.param({"business_date": 20_000}, "/business_date", id="a number for a date"),
        pytest.param({"business_date": "1772323200"}, "/business_date", id="a number in a text for a date"),
        pytest.param({"is_offline": 1}, "/is_offline", id="1 for true"),
        pytest.param({"is_offline": "true"}, "/is_offline", id="a text for true"),
        pytest.param({"member_id": "zzz"}, "/member_id", id="no UUID"),
        pytest.param({"store_id": "S/1"}, "/store_id", id="a slash in a code"),
        pytest.param({"store_id": ""}, "/store_id", id="an empty code"),
        pytest.param({"note": "bell\u0007"}, "/note", id="a control character in a text"),
        pytest.param({"note": "x" * 501}, "/note", id="a text that is too long"),
        pytest.param({"surprise": 1}, "/surprise", id="an unknown field"),
        pytest.param({"a/b~c": 1}, "/a~1b~0c", id="an unknown field with a slash in its name"),
    ],
)
async def test_a_bad_field_is_named(client: httpx2.AsyncClient, body: dict[str, Any], pointer: str) -> None:
    answer = await client.post("/v1/receipts", json=receipt(**body))

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["type"] == "https://tessera.invalid/problems/invalid-request"
    assert problem["errors"][0]["pointer"] == pointer
    assert problem["errors"][0]["detail"]
    assert problem["request_id"] == answer.headers["x-request-id"]


async def test_a_lone_surrogate_is_refused(client: httpx2.AsyncClient) -> None:
    body = orjson.dumps(receipt(note="@")).replace(b'"@"', b'"\\ud800"')

    answer = await client.post("/v1/receipts", content=body, headers={"content-type": "application/json"})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/note"


async def test_what_was_sent_is_never_repeated(client: httpx2.AsyncClient) -> None:
    secret = "4000-1234-5678"
    bodies = [
        receipt(ended_at=secret),
        receipt(member_id=secret),
        receipt(tender={"kind": secret}),
        receipt(**line(amount_minor=secret)),
        receipt(**line(quantity=secret)),
        receipt(business_date="4000-1234"),
        receipt(is_offline=secret),
    ]
    for body in bodies:
        answer = await client.post("/v1/receipts", json=body)
        assert answer.status_code == 422
        assert "1234" not in answer.text


@pytest.mark.parametrize("content", [b"{", b'{"a": 01}', b"\xff\xfe", b"[" * 20_000, b'{"a": ' + b"9" * 5_000 + b"}"])
async def test_malformed_json_is_400(client: httpx2.AsyncClient, content: bytes) -> None:
    answer = await client.post("/v1/receipts", content=content, headers={"content-type": "application/json"})

    assert answer.status_code == 400
    assert answer.json()["type"].endswith("/malformed-json")


async def test_another_content_type_is_415(client: httpx2.AsyncClient) -> None:
    answer = await client.post("/v1/receipts", content=b"a=b", headers={"content-type": "text/plain"})

    assert answer.status_code == 415
    assert answer.json()["type"].endswith("/unsupported-media-type")


async def test_no_body_names_the_body(client: httpx2.AsyncClient) -> None:
    answer = await client.post("/v1/receipts")

    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"pointer": "", "detail": "Field required"}]


async def test_a_body_over_the_limit_is_413_whether_or_not_it_says_so(client: httpx2.AsyncClient) -> None:
    async def in_pieces() -> AsyncIterator[bytes]:
        for _ in range(BODY_BYTES_MAX // 100_000 + 1):
            yield b" " * 100_000

    for content in (b" " * (BODY_BYTES_MAX + 1), in_pieces()):
        answer = await client.post("/v1/receipts", content=content, headers={"content-type": "application/json"})
        assert answer.status_code == 413
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["request_id"] == answer.headers["x-request-id"]


async def test_a_body_at_the_limit_is_read(client: httpx2.AsyncClient) -> None:
    body = orjson.dumps(receipt())

    answer = await client.post(
        "/v1/receipts", content=body.ljust(BODY_BYTES_MAX), headers={"content-type": "application/json"}
    )

    assert answer.status_code == 200


async def test_many_findings_are_cut(client: httpx2.AsyncClient) -> None:
    answer = await client.post("/v1/receipts", json=receipt(lines=[{"amount_minor": False}] * 500))

    assert len(answer.json()["errors"]) == 20
    assert "and 499 more" in answer.json()["detail"]


async def test_an_unknown_route_and_method(client: httpx2.AsyncClient) -> None:
    nowhere = await client.get("/v1/nowhere/in/particular")
    wrong_method = await client.delete("/v1/receipts")

    assert (nowhere.status_code, nowhere.json()["type"][-13:]) == (404, "no-such-route")
    assert (wrong_method.status_code, wrong_method.headers["allow"]) == (405, "POST")
    assert wrong_method.json()["type"].endswith("/method-not-allowed")


async def test_a_fault_tells_nothing_but_its_request(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/v1/failing", headers={"X-Request-Id": "till-7.request-0001"})

    assert answer.status_code == 500
    assert "hunter2" not in answer.text
    assert answer.json()["request_id"] == "till-7.request-0001"
    assert answer.headers["x-request-id"] == "till-7.request-0001"


async def test_an_outage_is_503_with_retry_after(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/v1/away")

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert "10.0.0.5" not in answer.text


async def test_a_domain_error_is_mapped(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/v1/declined")

    assert answer.status_code == 409
    assert answer.json() | {"request_id": ""} == {
        "type": "https://tessera.invalid/problems/something-wrong",
        "title": "Something is wrong",
        "status": 409,
        "detail": "the contract ended yesterday: renew it",
        "request_id": "",
    }


async def test_a_problems_extensions_do_not_replace_its_members(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/v1/teapot")

    assert answer.headers["retry-after"] == "9"
    assert (answer.json()["status"], answer.json()["spout"]) == (418, "short")


async def test_a_bad_cursor_is_400_and_a_bad_limit_422(client: httpx2.AsyncClient) -> None:
    first = await client.get("/v1/items", params={"limit": 1})
    too_many = await client.get("/v1/items", params={"limit": 201})

    assert first.json()["next_cursor"] == encode_cursor(["a", 7])
    assert too_many.json()["errors"] == [
        {"parameter": "query limit", "detail": "Input should be less than or equal to 200"}
    ]


@pytest.mark.parametrize("given", ["short", "with space 12345", "x" * 129, 'quote"quote"'])
async def test_a_malformed_request_id_is_replaced(client: httpx2.AsyncClient, given: str) -> None:
    answer = await client.get("/health/live", headers={"X-Request-Id": given})

    assert answer.headers["x-request-id"] != given
    assert len(answer.headers["x-request-id"]) == 32


async def test_refusals_are_counted_under_bounded_labels(client: httpx2.AsyncClient) -> None:
    def count(name: str, **labels: str) -> float:
        return REGISTRY.get_sample_value(name, labels) or 0.0

    refused = {"status": "422", "slug": "invalid-request"}
    unmatched = {"method": "GET", "route": "unmatched", "status_class": "4xx"}
    odd_method = {"method": "other", "route": "unmatched", "status_class": "4xx"}
    before = count("tessera_http_problems_total", **refused)
    before_unmatched = count("tessera_http_requests_total", **unmatched)
    before_odd = count("tessera_http_requests_total", **odd_method)

    await client.post("/v1/receipts", json=receipt(store_id=1))
    await client.get("/wp-login.php")
    await client.get("/.env")
    await client.request("BREW", "/coffee")

    assert count("tessera_http_problems_total", **refused) == before + 1
    assert count("tessera_http_requests_total", **unmatched) == before_unmatched + 2
    assert count("tessera_http_requests_total", **odd_method) == before_odd + 1
    routes = {
        sample.labels["route"]
        for family in REGISTRY.collect()
        for sample in family.samples
        if sample.name == "tessera_http_requests_total"
    }
    assert not any("wp-login" in route or ".env" in route for route in routes)


async def test_openapi_says_what_problems_look_like(client: httpx2.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()

    responses = document["paths"]["/v1/receipts"]["post"]["responses"]
    assert responses["422"]["content"]["application/problem+json"]["schema"] == {"$ref": "#/components/schemas/Problem"}
    assert "pointer" in document["components"]["schemas"]["FieldError"]["properties"]
    assert "HTTPValidationError" not in document["components"]["schemas"]
