"""Build the site into ``build/site``: write its pages, run the generator, check what it made."""

import subprocess
import sys

from docs.site.checks import problems
from docs.site.pages import ROOT, described_modules, write_pages
from docs.site.reference import undescribed_names

BUILD = ROOT / "build"


def main() -> int:
    """Build the site, and return whether that failed."""
    write_pages(BUILD / "pages")
    generator = [sys.executable, "-m", "zensical", "build", "--strict", "--clean"]
    subprocess.run(generator, cwd=ROOT, check=True)
    found = problems(BUILD / "site")
    for module in set(described_modules()) - {"burndown"}:
        page = (BUILD / "site" / "reference" / f"{module}.html").read_text("utf-8")
        found += [f"{name} has no docstring" for name in undescribed_names(page, module)]
    for problem in found:
        print(problem, file=sys.stderr)
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
