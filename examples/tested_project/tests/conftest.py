"""Settings of the tests."""

from hypothesis import settings

# The contract of backends has many properties: 10 examples of each take about a minute.
settings.register_profile("quick", max_examples=10)
settings.load_profile("quick")
