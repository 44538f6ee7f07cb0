"""``python -m services.redemption --role api|worker|both``"""

from services.redemption.app import build
from services.redemption.settings import RedemptionSettings
from shared.runtime import run_service

if __name__ == "__main__":
    run_service("redemption", RedemptionSettings, build)
