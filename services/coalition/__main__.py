"""``python -m services.coalition --role api|worker|both``"""

from services.coalition.app import build, own_keys
from services.coalition.settings import CoalitionSettings
from shared.runtime import run_service

if __name__ == "__main__":
    run_service("coalition", CoalitionSettings, build, key_source=own_keys)
