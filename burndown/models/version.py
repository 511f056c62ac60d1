"""The version of the schema."""

__all__ = ["SCHEMA_VERSION"]

SCHEMA_VERSION = "1.2"
"""The version of the tables that the models describe; ``burndown/schema/versions`` leads there."""
