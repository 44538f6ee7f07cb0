"""``python -m services.fraud --role api|worker|both``"""

from services.fraud.app import build
from services.fraud.settings import FraudSettings
from shared.runtime import run_service

if __name__ == "__main__":
    run_service("fraud", FraudSettings, build)
