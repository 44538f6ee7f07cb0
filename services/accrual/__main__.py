"""``python -m services.accrual --role api|worker|both``"""

from services.accrual.app import build
from services.accrual.settings import AccrualSettings
from shared.runtime import run_service

if __name__ == "__main__":
    run_service("accrual", AccrualSettings, build)
