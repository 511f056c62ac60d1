"""A delivery dashboard in Dash: ``python -m examples.dashboard.app``."""
