"""Tests of burndown.secrets, and of what is sealed with its keys."""
