"""``python -m burndown`` is the program ``burndown``."""

import sys


def main() -> None:
    """Run the command line."""
    from burndown.cli import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
