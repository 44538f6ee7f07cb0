"""Children of the stack: reported when they crash, restarted, stopped; the mail sink."""

import smtplib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.children import Guardian
from deploy.local.errors import StackError
from deploy.local.fleet import START_CRASHES_MAX, Fleet
from deploy.local.ports import HOST
from deploy.local.progress import SilentReporter
from deploy.local.services import ServiceSpec, inherited
from deploy.local.supervision import Supervisor
from tests.support.small_stack import Told, small_config
from tests.support.until import until

LASTING = "import signal; signal.pause()"


class Processes:
    """A fleet without servers, and what it reported."""

    def __init__(self, state_dir: Path) -> None:
        self.config = small_config(state_dir)
        self.told = ToldReporter()
        self.supervisor = Supervisor(self.told)
        self.guardian = Guardian(self.config.log_dir / "guard.log")
        self.fleet = Fleet(self.config, self.guardian, self.supervisor, self.told)
        self.supervisor.start()

    def start(self, label: str, code: str) -> None:
        self.fleet.start(label, [sys.executable, "-c", code], inherited())

    def close(self) -> None:
        self.fleet.stop_all()
        self.supervisor.stop()
        self.guardian.close()


class ToldReporter(Told, SilentReporter):
    """Keeps messages, shows no progress."""


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    made = Processes(tmp_path)
    yield made
    made.close()


async def test_a_crashed_child_is_reported_with_its_last_lines_and_started_again(processes: Processes) -> None:
    processes.start("brittle", f"print('about to break', flush=True); {LASTING}")
    first = processes.fleet.find("brittle").child
    await until(lambda: "about to break" in first.log_tail())
    first.process.kill()
    await until(lambda: processes.fleet.find("brittle").child is not first)
    [message] = processes.told.messages
    assert message.startswith("brittle was ended by signal 9; it starts again in 0.2 s.")
    assert "about to break" in message
    assert processes.fleet.find("brittle").child.is_running()


async def test_a_child_that_is_killed_on_purpose_comes_back_uncounted_and_unreported(processes: Processes) -> None:
    processes.start("sturdy", LASTING)
    first = processes.fleet.find("sturdy").child
    processes.fleet.kill("sturdy", restart=True)
    assert not first.is_running()
    await until(lambda: processes.fleet.find("sturdy").child is not first)
    assert processes.fleet.find("sturdy").child.is_running()
    assert processes.told.messages == []
    assert not processes.fleet.find("sturdy").crashed_at_seconds


async def test_a_service_that_keeps_ending_fails_the_start_with_its_last_lines(processes: Processes) -> None:
    spec = ServiceSpec("members")
    processes.start(spec.label, "raise SystemExit('no such setting')")
    with pytest.raises(StackError, match=r"(?s)members did not get ready: ended with code 1.*no such setting"):
        processes.fleet.await_ready(spec)
    assert len(processes.told.messages) == START_CRASHES_MAX


async def test_a_stopped_child_stays_away(processes: Processes) -> None:
    processes.start("guest", LASTING)
    child = processes.fleet.find("guest").child
    processes.fleet.stop("guest")
    assert not child.is_running()
    with pytest.raises(StackError, match="guest"):
        processes.fleet.find("guest")
    assert processes.told.messages == []


async def test_the_mail_sink_keeps_every_message_as_a_file(processes: Processes) -> None:
    processes.fleet.start_mail_sink(inherited())
    with smtplib.SMTP(HOST, processes.config.ports.smtp) as smtp:
        smtp.sendmail("programme@tessera.invalid", ["ann@example.org"], b"Subject: Points\r\n\r\nYou earned 12.\r\n")
        smtp.sendmail("programme@tessera.invalid", ["../bob@example.org"], b"Subject: Points\r\n\r\nYou earned 3.\r\n")
    messages = sorted(processes.config.mail_dir.glob("*.eml"))
    assert [path.read_bytes().splitlines()[-1] for path in messages] == [b"You earned 12.", b"You earned 3."]
    assert "ann@example.org" in messages[0].name
