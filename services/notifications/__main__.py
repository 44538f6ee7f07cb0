"""``python -m services.notifications --role api|worker|both``."""

from services.notifications.app import build
from services.notifications.settings import NotificationsSettings
from shared.runtime import run_service

if __name__ == "__main__":
    run_service("notifications", NotificationsSettings, build)
