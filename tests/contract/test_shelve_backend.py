"""The example of a backend passes the contract, with its own test."""

from examples.backend.test_shelve_backend import TestShelveBackend, open_backend

__all__ = ["TestShelveBackend", "open_backend"]
