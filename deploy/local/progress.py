"""Says what the stack is doing: to a person on a terminal, or to nobody."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from deploy.local.kafka_jars import DownloadReporter, ProgressCallback


class Reporter(DownloadReporter, Protocol):
    """What a stack tells about itself."""

    def say(self, message: str) -> None:
        """One thing that happened, in one line or a few."""
        ...


class SilentReporter:
    """For tests and scripts: failures are exceptions anyhow."""

    def say(self, message: str) -> None:
        del message

    @contextmanager
    def fetching(self) -> Iterator[ProgressCallback]:
        yield _count_nothing


class ConsoleReporter:
    """For people: plain lines, and a bar while something is fetched."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def say(self, message: str) -> None:
        self._console.print(message, highlight=False, markup=False, soft_wrap=True)

    @contextmanager
    def fetching(self) -> Iterator[ProgressCallback]:
        self.say("Fetching Apache Kafka once (44 MB, kept in the cache for every checkout) …")
        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
        with Progress(*columns, console=self._console, transient=True) as progress:

            @contextmanager
            def follow(name: str, size_bytes: int) -> Iterator[Callable[[int], None]]:
                task = progress.add_task(name, total=size_bytes)
                yield lambda received_bytes: progress.advance(task, received_bytes)
                progress.remove_task(task)

            yield follow


@contextmanager
def _count_nothing(name: str, size_bytes: int) -> Iterator[Callable[[int], None]]:
    del name, size_bytes
    yield lambda _: None
