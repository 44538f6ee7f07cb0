"""The page that a partner's integrator follows, followed."""

from collections.abc import Iterator
from datetime import UTC, datetime
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
    variables |= {"TOKEN": stack.token(), "NOW": now.strftime("%Y-%m-%dT%H:%M:%SZ"), "TODAY": f"{now:%Y-%m-%d}"}
    return await Reader(variables).follow(PAGE.read_text(), _is_heard_of)


def _is_heard_of(response: httpx2.Response) -> bool:
    """Whether accrual had heard of the till's key and of the member's card when it was asked."""
    return response.is_success and response.json().get("status") != "parked"


async def test_every_call_of_the_page_succeeds(answers: Answers) -> None:
    assert len(answers) > 10
    assert all(answer.is_success for _, answer in answers)


async def test_the_receipt_earns_what_the_page_says_and_the_return_takes_back_its_part(answers: Answers) -> None:
    purchase, returned = (answer.json() for call, answer in answers if call.url.endswith("/v1/receipts"))
    assert (purchase["status"], purchase["points"]) == ("awarded", 42)
    assert returned["status"] == "awarded"
    balance = next(answer.json() for call, answer in answers if call.url.endswith("/balance"))
    assert balance["balances"][0]["available"] == 42 - 20


async def test_the_receipt_is_explained(answers: Answers) -> None:
    told = next(answer.json() for call, answer in answers if "/v1/receipts/" in call.url)
    assert told["trace"][0]["rule_id"] == "acme-base"
