"""A legacy workspace of invented data, for demonstrations, tests and benchmarks.

Its files have the shapes that the old dashboard wrote. Statistics, scope and metrics are
calculated from the issues, so their numbers agree with each other.
"""

from burndown.demo.workspace import write_demo_workspace

__all__ = ["write_demo_workspace"]
