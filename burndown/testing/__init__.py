"""What tests of dashboards need: strategies of documents for Hypothesis.

Nothing of the package imports this one.
"""
