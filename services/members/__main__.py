"""``python -m services.members --role api|worker|both``"""

from services.members.app import build
from services.members.settings import MembersSettings
from shared.runtime import run_service

if __name__ == "__main__":
    run_service("members", MembersSettings, build)
