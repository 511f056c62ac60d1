"""Limits of waiting for other transactions.

The other modules read these limits as ``timeouts.NAME``, so that a test can shorten them.
"""

__all__ = ["BUSY_TIMEOUT_SECONDS", "UPGRADE_TIMEOUT_SECONDS"]

# The longest writes of the benchmark take some 30 ms (a response of 1,000 issues, the deletion of
# 10,000 expired ones), so a writer that waits for ten seconds waits for one that hangs.
BUSY_TIMEOUT_SECONDS = 10
"""How long a transaction waits for another one that writes."""

# An upgrade may decode every cached response, which takes minutes in a file of some gigabytes.
UPGRADE_TIMEOUT_SECONDS = 600
"""How long a process waits for another one that upgrades or downgrades the tables."""
