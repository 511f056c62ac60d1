"""The pages of the dashboard, from values that are read elsewhere."""

from examples.dashboard.layout.cards import delivery
from examples.dashboard.layout.pages import STATUS, frame, missing, overview, status
from examples.dashboard.layout.settings import PATHS, settings

__all__ = ["PATHS", "STATUS", "delivery", "frame", "missing", "overview", "settings", "status"]
