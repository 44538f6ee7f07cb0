"""The stack's processes above the servers: services and the mail sink, each supervised."""

import signal
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial

import httpx2

from deploy.local.children import Child, Guardian, Rank, start_child
from deploy.local.config import StackConfig
from deploy.local.errors import StackError
from deploy.local.ports import HOST, is_listened_to
from deploy.local.progress import Reporter
from deploy.local.services import ROOT, ServiceSpec
from deploy.local.supervision import Supervised, Supervisor, describe_end

READY_SECONDS_MAX = 60.0
READY_POLL_SECONDS = 0.1
READY_ANSWER_SECONDS_MAX = 2.0
STOP_SECONDS_MAX = 20.0
START_CRASHES_MAX = 3
MAIL_SINK = "mail-sink"


class Fleet:
    """Starts, awaits, kills and stops the processes of one stack."""

    def __init__(self, config: StackConfig, guardian: Guardian, supervisor: Supervisor, reporter: Reporter) -> None:
        self._config = config
        self._guardian = guardian
        self._supervisor = supervisor
        self._reporter = reporter
        self._processes: dict[str, Supervised] = {}

    def start(self, label: str, command: list[str], environment: Mapping[str, str]) -> None:
        """Start a process; from now on it is kept running. Does not wait until it is ready."""
        with self._supervisor.lock:
            if label in self._processes:
                raise StackError(f"{label} has been started already.")

            def launch() -> Child:
                return start_child(
                    label,
                    command,
                    log=self._config.log_dir / f"{label}.log",
                    guardian=self._guardian,
                    rank=Rank.SERVICE,
                    environment=environment,
                    stop_signal=signal.SIGTERM,
                    cwd=ROOT,
                )

            supervised = Supervised(label, launch(), launch)
            self._processes[label] = supervised
            self._supervisor.watch(supervised)

    def start_mail_sink(self, environment: Mapping[str, str]) -> None:
        """Start the mail server that keeps messages as files. Returns when it takes connections."""
        port = self._config.ports.smtp
        command = [sys.executable, "-m", "deploy.local.mail_sink", str(port), str(self._config.mail_dir)]
        self.start(MAIL_SINK, command, environment)
        self._await({MAIL_SINK: lambda: is_listened_to(port)})

    def await_ready(self, *specs: ServiceSpec) -> None:
        """Wait until services say that they are ready.

        Raises a ``StackError`` with the last log lines of one that keeps ending, or takes too long.
        """
        urls = {spec.label: f"http://{HOST}:{spec.port(self._config)}/health/ready" for spec in specs}
        self._await({label: partial(_is_ready, url) for label, url in urls.items()})

    def kill(self, label: str, *, restart: bool) -> None:
        """SIGKILL, on purpose: it is not counted as a crash. Returns when the process is gone.

        With ``restart`` a successor starts a moment later, by itself; without it the process stays away.
        """
        with self._supervisor.lock:
            supervised = self.find(label)
            if restart:
                self._supervisor.restart_soon(supervised)
            else:
                self._forget(label)
            supervised.child.kill()

    def stop(self, label: str) -> None:
        """The clean end of one process, for good. Returns when it is gone."""
        with self._supervisor.lock:
            supervised = self.find(label)
            self._forget(label)
        supervised.child.stop(STOP_SECONDS_MAX)

    def stop_all(self) -> None:
        """The clean end of every process, all at once. Returns when all are gone."""
        with self._supervisor.lock:
            children = [supervised.child for supervised in self._processes.values()]
            for label in list(self._processes):
                self._forget(label)
        for child in children:
            child.send(child.stop_signal)
        deadline = time.monotonic() + STOP_SECONDS_MAX
        for child in children:
            child.stop(max(0.0, deadline - time.monotonic()))

    def find(self, label: str) -> Supervised:
        """The process of this name; a ``StackError`` where there is none."""
        try:
            return self._processes[label]
        except KeyError:
            running = ", ".join(self._processes) or "nothing"
            raise StackError(f"No process {label!r} in this stack; there is {running}.") from None

    def _forget(self, label: str) -> None:
        self._supervisor.forget(label)
        del self._processes[label]

    def _await(self, is_ready: Mapping[str, Callable[[], bool]]) -> None:
        deadline = time.monotonic() + READY_SECONDS_MAX
        waiting = dict(is_ready)
        while waiting:
            for label in [label for label, answers in waiting.items() if answers()]:
                self.find(label).was_ready = True
                self._reporter.say(f"{label} is ready")
                del waiting[label]
            for label in waiting:
                self._refuse_lost(label, is_late=time.monotonic() > deadline)
            if waiting:
                time.sleep(READY_POLL_SECONDS)

    def _refuse_lost(self, label: str, *, is_late: bool) -> None:
        supervised = self.find(label)
        child = supervised.child
        # One that was never ready and keeps ending has a fault that waiting does not cure.
        is_hopeless = not supervised.was_ready and len(supervised.crashed_at_seconds) >= START_CRASHES_MAX
        if supervised.has_failed or is_hopeless or is_late:
            what = f"still not ready after {READY_SECONDS_MAX:.0f} s" if is_late else describe_end(child)
            raise StackError(f"{label} did not get ready: {what}. Its last lines ({child.log}):\n{child.log_tail()}")


def _is_ready(url: str) -> bool:
    try:
        return httpx2.get(url, timeout=READY_ANSWER_SECONDS_MAX).status_code == httpx2.codes.OK
    except httpx2.HTTPError:
        return False
