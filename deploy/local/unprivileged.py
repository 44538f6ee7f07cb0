"""Running a program that refuses to be root, when we are root.

PostgreSQL does not run as root. In a container people often are. Then its processes become an existing system user
that owns nothing but the data folder; no user is made and no folder is opened to others. Where that user cannot reach
the programs or the data (a checkout under /root), the process keeps the one capability that lets it through.
"""

import os
import pwd
import shutil
import subprocess
from pathlib import Path

from deploy.local.errors import StackError

_CANDIDATE_USERS = ("postgres", "nobody")


class Unprivileged:
    """How to start programs that refuse root: as ourselves, or under root as somebody else."""

    def __init__(self, *, data_dir: Path, program: Path) -> None:
        self._prefix: tuple[str, ...] = ()
        self._user: pwd.struct_passwd | None = None
        if os.geteuid() == 0:
            self._user = _choose_user(data_dir)
            self._prefix = _find_prefix(self._user, data_dir=data_dir, program=program)

    def command(self, *arguments: str) -> list[str]:
        """The command line that runs ``arguments`` without being root."""
        return [*self._prefix, *arguments]

    def own(self, path: Path) -> None:
        """Give a file or folder to the user that will work with it, closed to everybody else."""
        path.chmod(0o700 if path.is_dir() else 0o600)
        if self._user is not None:
            os.chown(path, self._user.pw_uid, self._user.pw_gid)


def _choose_user(data_dir: Path) -> pwd.struct_passwd:
    """The owner of data that are already there, else the first candidate that this system has."""
    if data_dir.exists() and (owner := data_dir.stat().st_uid) != 0:
        return pwd.getpwuid(owner)
    for name in _CANDIDATE_USERS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise StackError(
        f"PostgreSQL does not run as root, and this system has none of the users {', '.join(_CANDIDATE_USERS)}.\n"
        "Run this command as an ordinary user."
    )


def _find_prefix(user: pwd.struct_passwd, *, data_dir: Path, program: Path) -> tuple[str, ...]:
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise StackError(
            "PostgreSQL does not run as root, and the program setpriv (package util-linux), which would run it as "
            f"user {user.pw_name}, is missing.\nInstall it, or run this command as an ordinary user."
        )
    plain = (setpriv, f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups")
    # access(2), which PostgreSQL asks about its programs, leaves capabilities out of account without that secure bit.
    caps = ("--securebits=+no_setuid_fixup", "--inh-caps=+dac_override", "--ambient-caps=+dac_override")
    reaching = (*plain, *caps)
    for prefix in (plain, reaching):
        if _can_reach(prefix, data_dir=data_dir, program=program):
            return prefix
    raise StackError(
        f"PostgreSQL does not run as root, and user {user.pw_name} cannot reach {program} or {data_dir}.\n"
        "Move the checkout to a folder that every user may enter, or run this command as an ordinary user."
    )


def _can_reach(prefix: tuple[str, ...], *, data_dir: Path, program: Path) -> bool:
    """Whether the user may run the program, without a complaint, and enter the folder of the data."""
    parent = next(folder for folder in (data_dir, *data_dir.parents) if folder.exists())
    for check in ((str(program), "--version"), ("stat", f"{parent}/.")):
        result = subprocess.run([*prefix, *check], check=False, capture_output=True)  # noqa: S603 -- our own command
        if result.returncode != 0 or result.stderr:
            return False
    return True
