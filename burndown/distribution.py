"""The name of the distribution, which differs from the name of the import.

On PyPI, ``burndown`` is another project: ``pip install burndown`` would install its code.
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
