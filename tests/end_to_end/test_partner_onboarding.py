"""The page that a partner's integrator follows, followed."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from deploy.local.services import ServiceSpec
from deploy.local.stack import LocalStack
from tests.support.documented_calls import Call, Reader
from tests.support.small_stack import small_config

pytestmark = pytest.mark.faults  # a stack of its own: run alone, one after another

PAGE = Path(__file__).resolve().parents[2] / "docs" / "partner-onboarding.md"
FLEET = (
    ServiceSpec("coalition"),
    ServiceSpec("members"),
    ServiceSpec("accrual"),
    ServiceSpec("redemption"),
)
Answers = list[tuple[Call, httpx2.Response]]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    with LocalStack(small_config(tmp_path_factory.mktemp("onboarding")), fleet=FLEET) as running:
        yield running


@pytest.fixture(scope="module")
async def answers(stack: LocalStack) -> Answers:
    now = datetime.now(UTC)
    variables = {service.upper(): stack.url(service) for service in ("coalition", "members", "accrual", "redemption")}
    variables |= {"TOKEN": stack.token(), "NOW": now.strftime("%Y-%m-%dT%H:%M:%SZ")}
    variables |= {"TODAY": f"{now:%Y-%m-%d}", "TOMORROW": f"{now + timedelta(days=1):%Y-%m-%d}"}
    return await Reader(variables).follow(PAGE.read_text(), _is_heard_of)


def _is_heard_of(response: httpx2.Response) -> bool:
    """Whether a service had heard of what it was asked about: a till's key, a member's card, a shift's receipts, and
    all that a checkout tells but a name, which tills do not get, privileges included."""
    told = response.json()
    has_every_part = {one["part"] for one in told.get("absent", ())} <= {"name"}
    checked = told["privileges"] if isinstance(told.get("privileges"), dict) else told
    has_privileges = checked.get("privileges") != []
    is_decided = told.get("status") != "parked" and told.get("items") != []
    return response.is_success and has_every_part and has_privileges and is_decided


async def test_every_call_of_the_page_succeeds(answers: Answers) -> None:
    assert len(answers) > 10
    assert all(answer.is_success for _, answer in answers)


async def test_the_receipt_earns_what_the_page_says_and_the_return_and_the_void_take_it_back(answers: Answers) -> None:
    purchase, paid, returned, corrected, voided = (
        answer.json() for call, answer in answers if call.url.endswith("/v1/receipts")
    )
    assert (purchase["status"], purchase["points"]) == ("awarded", 42)
    assert (paid["status"], paid["points"]) == ("awarded", 13)  # a point a dollar of what money paid
    assert {each["status"] for each in (returned, corrected, voided)} == {"awarded"}
    balance = next(answer.json() for call, answer in answers if call.url.endswith("/balance"))
    assert balance["balances"][0]["available"] == 42 - 20 + 13 - 5


def _answer(answers: Answers, ending: str) -> dict[str, Any]:
    told: dict[str, Any] = next(answer.json() for call, answer in answers if call.url.endswith(ending))
    return told


async def test_the_till_is_told_before_the_basket_is_paid_and_holds_what_was_quoted(answers: Answers) -> None:
    checkout, checked = _answer(answers, "/v1/checkouts"), _answer(answers, "/v1/privileges:check")
    quote, hold = _answer(answers, "/v1/quotes"), _answer(answers, "/v1/redemptions")

    assert checkout["privileges"]["lines"] == checked["lines"] == [{"line_id": 1, "left_minor": 1350}]
    assert (checkout["earn"]["points"], checkout["spend"]["points"]) == (13, 42)
    assert (quote["session_id"], quote["points"], quote["value_minor"]) == (checkout["session_id"], 20, 20)
    assert (hold["state"], hold["held_points"], hold["value_minor"]) == ("held", 20, 20)


async def test_an_order_becomes_smaller_and_a_voucher_is_used_for_its_receipt(answers: Answers) -> None:
    assert _answer(answers, "/shrink")["open_points"] == 8
    assert _answer(answers, "/void")["state"] == "voided"
    checked, used = _answer(answers, "/v1/vouchers:check"), _answer(answers, "/v1/vouchers:use")
    assert (checked["state"], used["state"], used["points"]) == ("issued", "used", 6)


async def test_what_points_had_paid_comes_back_as_points(answers: Answers) -> None:
    quote = _answer(answers, "/v1/returns:quote")
    assert (quote["total_minor"], quote["money_minor"], quote["points"][0]["points"]) == (1350, 1330, 20)


async def test_the_receipt_is_explained(answers: Answers) -> None:
    told = next(answer.json() for call, answer in answers if "/v1/receipts/" in call.url)
    assert told["trace"][0]["rule_id"] == "acme-base"


@pytest.mark.parametrize("what", ["rule-sets", "contracts"])
async def test_rules_and_contract_were_drafted_by_one_and_approved_by_another(answers: Answers, what: str) -> None:
    approved = next(
        answer.json() for call, answer in answers if f"/{what}/" in call.url and call.url.endswith("/approve")
    )
    assert (approved["state"], approved["approved_by"]) == ("approved", "person:grace")
    assert approved["approved_by"] not in approved["authors"]


async def test_both_keys_and_both_secrets_differ_from_the_first(answers: Answers) -> None:
    keys = [answer.json()["till_key"] for _, answer in answers if "till_key" in answer.json()]
    secrets = [
        answer.json()["client_secret"] for _, answer in answers if answer.json().get("client_id") == "acme-backend"
    ]
    assert (len(set(keys)), len(set(secrets))) == (2, 2)


async def test_the_gap_is_the_receipt_that_was_never_posted(answers: Answers) -> None:
    (gap,) = next(answer.json()["items"] for call, answer in answers if "/gaps" in call.url)
    assert (gap["store_id"], gap["till_id"], gap["missing_count"]) == ("main-street", "1", 1)
    assert gap["missing"] == [{"first": 3, "last": 3}]
