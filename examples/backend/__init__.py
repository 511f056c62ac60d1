"""A small backend of one's own, and its tests."""
