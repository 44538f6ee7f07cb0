"""The page that a partner's integrator follows, followed."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

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
    """Whether a service had heard of what it was asked about: a till's key, a member's card, a shift's receipts."""
    told = response.json()
    return response.is_success and told.get("status") != "parked" and told.get("items") != []


async def test_every_call_of_the_page_succeeds(answers: Answers) -> None:
    assert len(answers) > 10
    assert all(answer.is_success for _, answer in answers)


async def test_the_receipt_earns_what_the_page_says_and_the_return_and_the_void_take_it_back(answers: Answers) -> None:
    purchase, returned, corrected, voided = (
        answer.json() for call, answer in answers if call.url.endswith("/v1/receipts")
    )
    assert (purchase["status"], purchase["points"]) == ("awarded", 42)
    assert {each["status"] for each in (returned, corrected, voided)} == {"awarded"}
    balance = next(answer.json() for call, answer in answers if call.url.endswith("/balance"))
    assert balance["balances"][0]["available"] == 42 - 20


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
    assert gap["missing"] == [{"first": 2, "last": 2}]
