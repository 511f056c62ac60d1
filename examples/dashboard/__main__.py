"""Show the dashboard, by default with the data of ``burndown demo`` and a Jira that has them.

``BURNDOWN_DATABASE_URL`` or ``BURNDOWN_PROFILES_DIR`` choose another store.
"""

import os
import subprocess
import sys
from pathlib import Path

from burndown import get_backend
from burndown.settings import PREFIX
from examples.demo_jira import run_demo_jira

DEMO = Path("burndown-demo")


def main() -> None:
    """Run the dashboard on this machine."""
    if not {f"{PREFIX}DATABASE_URL", f"{PREFIX}PROFILES_DIR"} & os.environ.keys():
        if not DEMO.exists():
            command = [sys.executable, "-m", "burndown", "demo", str(DEMO)]
            subprocess.run(command, check=True)  # noqa: S603 - it is our own
        os.environ[f"{PREFIX}PROFILES_DIR"] = str(DEMO / "profiles")
        run_demo_jira(get_backend())
    # The application uses the store that is chosen when it is imported.
    from examples.dashboard.app import app

    app.run()


if __name__ == "__main__":
    main()
