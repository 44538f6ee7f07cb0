"""Kafka's jars, fetched once into a cache outside the checkout.

Several checkouts may want them at the same moment: a file lock lets one fetch, and the folder gets its final name only
when it is complete and checked.
"""

import fcntl
import logging
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from deploy.local.errors import StackError

KAFKA_VERSION = "4.1.1"
_ENDPOINT = f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}+org.slf4j:slf4j-jdk14:1.7.36"
_KAFKA_JAR = re.compile(r"(?:kafka|connect|trogdor)[a-z0-9_.-]*?-(\d+\.\d+\.\d+)\.jar")
_JAR_FOLDERS = ("jars", "modules")

# Told the name and size of a file; gives a function that is told how many bytes more have come.
ProgressCallback = Callable[[str, int], AbstractContextManager[Callable[[int], None]]]


class DownloadReporter(Protocol):
    """Shows a person what is being fetched."""

    def fetching(self) -> AbstractContextManager[ProgressCallback]:
        """Around the whole download; gives the callback that jgo calls for each file."""
        ...


def default_cache_dir() -> Path:
    """``$TESSERA_CACHE_DIR``, else ``~/.cache/tessera``."""
    given = os.environ.get("TESSERA_CACHE_DIR")
    return Path(given).expanduser() if given else Path.home() / ".cache" / "tessera"


def kafka_class_path(cache_dir: Path, reporter: DownloadReporter) -> str:
    """The class path of a complete Kafka, fetched if it is not in the cache yet.

    Raises a ``StackError`` that says what to do where the jars cannot be had.
    """
    final = cache_dir / f"kafka-{KAFKA_VERSION}"
    try:
        cache_dir.mkdir(parents=True, exist_ok=True)
        with _locked(cache_dir / "kafka.lock"):
            if not final.is_dir():
                _fetch_into(final, cache_dir, reporter)
    except OSError as error:
        raise StackError(
            f"The cache folder {cache_dir} cannot be used: {error}\nChoose another with TESSERA_CACHE_DIR."
        ) from error
    return ":".join(str(final / folder / "*") for folder in _JAR_FOLDERS)


def _fetch_into(final: Path, cache_dir: Path, reporter: DownloadReporter) -> None:
    partial = cache_dir / f"{final.name}.{os.getpid()}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    try:
        with reporter.fetching() as progress:
            built = _resolve(partial, progress)
        for folder in _JAR_FOLDERS:
            (built / folder).mkdir(exist_ok=True)
        refuse_mixed_versions([jar.name for folder in _JAR_FOLDERS for jar in (built / folder).iterdir()])
        built.rename(final)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _resolve(partial: Path, progress: ProgressCallback) -> Path:
    """Fetch the jars below ``partial``; answer the folder that holds ``jars/`` and ``modules/``.

    Everything is below ``partial``, so that a half-fetched file of an earlier attempt is never taken for a whole one.
    """
    from jgo.env import EnvironmentBuilder, LinkStrategy
    from jgo.maven import MavenContext, PythonResolver

    logging.getLogger("jgo").setLevel(logging.ERROR)
    try:
        context = MavenContext(
            repo_cache=partial / "repository",
            resolver=PythonResolver(progress_callback=progress),
            timeout=60,
        )
        builder = EnvironmentBuilder(
            context=context, cache_dir=partial / "environment", link_strategy=LinkStrategy.COPY
        )
        return Path(builder.from_endpoint(_ENDPOINT).path)
    except Exception as error:
        # jgo raises whatever its libraries raise; to the person in front of it all of it means one thing.
        raise StackError(
            f"Kafka {KAFKA_VERSION} could not be fetched from Maven's central repository: {_first_line(error)}\n"
            "Check the network (a proxy is taken from HTTPS_PROXY, certificates from REQUESTS_CA_BUNDLE) and run the "
            "same command again: nothing half-fetched is kept.\n"
            "Or use a broker that you have: TESSERA_KAFKA_BOOTSTRAP_SERVERS=host:port"
        ) from error


def refuse_mixed_versions(jar_names: list[str]) -> None:
    """Raise where Kafka's jars are of several versions, or missing: such a broker starts and dies on first use."""
    versions = {match[1] for name in jar_names if (match := _KAFKA_JAR.fullmatch(name))}
    if versions != {KAFKA_VERSION}:
        found = ", ".join(sorted(versions)) or "none"
        raise StackError(
            f"The fetched Kafka is not whole: all its jars must be {KAFKA_VERSION}, found {found}.\n"
            "Run the same command again; if it persists, report it with this message."
        )


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
