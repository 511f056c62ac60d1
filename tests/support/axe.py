"""axe-core, which finds faults of accessibility in a page."""

import os
from pathlib import Path
from typing import Any

from tests.support.chromium import Tab
from tests.support.programs import skip_without

VARIABLE = "BURNDOWN_TEST_AXE"
"""It has the path of ``axe.min.js``, of the npm package axe-core."""
SCRIPT = os.environ.get(VARIABLE)

_RUN = """axe.run().then(found => found.violations.map(each => ({
    id: each.id, impact: each.impact, html: each.nodes.map(node => node.html)
})))"""


def serious_faults(tab: Tab) -> list[dict[str, Any]]:
    """Return the faults of a page that are serious or critical; without axe-core, skip the test."""
    if SCRIPT is None:
        skip_without("axe-core", f"npm install axe-core, and set {VARIABLE} to its axe.min.js")
    tab.evaluate(Path(SCRIPT).read_text("utf-8"))
    found: list[dict[str, Any]] = tab.evaluate(_RUN)
    return [each for each in found if each["impact"] in ("serious", "critical")]
