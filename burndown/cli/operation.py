"""Commands for those who run a store."""

from burndown.cli.options import AsJson, DatabaseURL, ProfilesDir, print_result

__all__ = ["health", "init"]


def init(
    profiles: ProfilesDir = None, database: DatabaseURL = None, as_json: AsJson = False
) -> None:
    """Create an empty store, unless there is one.

    Without this command, the first write creates it. An older version is upgraded.
    """
    from burndown import printing
    from burndown.cli.stores import open_store, settings_for
    from burndown.models import SCHEMA_VERSION

    with open_store(settings_for(profiles, database).database) as backend:
        is_new = not backend.exists()
        # Any write creates the store; this one changes nothing.
        backend.set_app_state("schema_version", SCHEMA_VERSION)
        described = backend.describe()
    result = {
        "location": described["location"],
        "schema_version": described["schema_version"],
        "created": is_new,
    }
    print_result(result, printing.initialized, as_json)


def health(
    profiles: ProfilesDir = None, database: DatabaseURL = None, as_json: AsJson = False
) -> None:
    """Report whether the store can be used, within milliseconds.

    The exit code is 0 if it can be read; it tells apart a store that is missing, out of reach or
    damaged. `burndown check` reads all of it. Nothing is changed.
    """
    from burndown import printing
    from burndown.cli.stores import open_existing, settings_for
    from burndown.overview import store_health

    with open_existing(settings_for(profiles, database)) as backend:
        result = store_health(backend)
    print_result(result, printing.health, as_json)
