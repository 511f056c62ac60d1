"""The entry point of the program ``burndown`` and of ``python -m burndown``."""

import sys


def main() -> None:
    """Run the command line and exit."""
    # Imported here, so that importing this module does not load typer and rich.
    from burndown.cli import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
