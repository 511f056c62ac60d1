"""What the environment says; loaded if it says anything, since pydantic-settings takes its time."""

import pydantic
from pydantic_settings import BaseSettings, SettingsConfigDict

from burndown.errors import ValidationError
from burndown.settings import PREFIX, Settings

__all__ = ["read_environment"]


class _Environment(BaseSettings, Settings):
    model_config = SettingsConfigDict(env_prefix=PREFIX, hide_input_in_errors=True)


def read_environment() -> Settings:
    """The settings, read from the environment.

    Raises:
        ValidationError: a variable holds a value that is not possible.
    """
    try:
        return _Environment()
    except pydantic.ValidationError as error:
        raise ValidationError.from_pydantic(f"{PREFIX}* environment", error) from None
