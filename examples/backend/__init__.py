"""An example of a backend, and its tests."""
