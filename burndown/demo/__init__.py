"""A legacy workspace of invented data, for demonstrations, tests and benchmarks.

Its files have the formats that the old dashboard wrote. Statistics, scope and metrics are
calculated from the issues, so that their numbers are consistent.
"""

from burndown.demo.workspace import write_demo_workspace

__all__ = ["write_demo_workspace"]
