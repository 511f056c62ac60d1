"""Settings from environment variables.

A module of its own, since importing pydantic-settings takes about 12 ms; it is imported only if a
variable is set.
"""

import pydantic
from pydantic_settings import BaseSettings, SettingsConfigDict

from burndown.errors import ValidationError
from burndown.settings.values import PREFIX, Settings

__all__ = ["read_environment"]


class _Environment(BaseSettings, Settings):
    # A database URL may contain a password, so errors must not quote the input.
    model_config = SettingsConfigDict(env_prefix=PREFIX, hide_input_in_errors=True)


def read_environment() -> Settings:
    """Return the settings from the environment.

    Raises:
        ValidationError: a variable has an invalid value.
    """
    try:
        return _Environment()
    except pydantic.ValidationError as error:
        raise ValidationError.from_pydantic(f"{PREFIX}* environment", error) from None
