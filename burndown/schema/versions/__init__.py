"""The versions of the tables, one script for each."""
