"""The name under which pip installs this package, which is not that of the import.

The name ``burndown`` belongs to another project on PyPI.
"""

__all__ = ["DISTRIBUTION", "install_command"]

DISTRIBUTION = "burndown-store"


def install_command(extra: str | None = None) -> str:
    """Return the command that installs or upgrades this package.

    Args:
        extra: an extra of the package, such as ``postgres``.
    """
    if extra is None:
        return f"python -m pip install --upgrade {DISTRIBUTION}"
    return f'python -m pip install "{DISTRIBUTION}[{extra}]"'
