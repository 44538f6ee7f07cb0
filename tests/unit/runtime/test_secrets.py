"""No settings class of any service shows a secret, whichever way it is printed, or refused."""

import re
from typing import Any

import pytest
from pydantic import SecretStr

from shared.database.roles import SERVICES
from shared.runtime import ServiceSettings
from tests.support.applications import settings_class

SOUNDS_SECRET = re.compile(r"secret|password|_key$|_keys$|token$")
# Public by their nature, or files and versions of keys.
NOT_SECRET = {"published_keys"}


@pytest.mark.parametrize("service", SERVICES)
def test_no_settings_show_a_secret(service: str) -> None:
    plain = [
        name
        for name, field in settings_class(service).model_fields.items()
        if SOUNDS_SECRET.search(name) and name not in NOT_SECRET and not _hides(field.annotation)
    ]
    assert plain == []


@pytest.mark.parametrize("service", SERVICES)
def test_a_refused_setting_is_not_repeated(service: str) -> None:
    assert settings_class(service).model_config.get("hide_input_in_errors") is True
    assert issubclass(settings_class(service), ServiceSettings)


def _hides(annotation: Any) -> bool:
    """Whether a value of this type shows as asterisks: a SecretStr, or made of nothing that is not."""
    return "SecretStr" in str(annotation) or annotation is SecretStr
