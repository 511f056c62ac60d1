"""Tests of burndown.jira."""
