"""A legacy workspace of invented data, for demonstrations, tests and benchmarks.

Its files have the formats that the old dashboard wrote. Statistics, scope, metrics and forecasts
are calculated from the issues, so that their numbers are consistent. What the old dashboard did not
have is added once the workspace is migrated.
"""

from burndown.demo.newer_data import add_newer_data
from burndown.demo.workspace import write_demo_workspace

__all__ = ["add_newer_data", "write_demo_workspace"]
