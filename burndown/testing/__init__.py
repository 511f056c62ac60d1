"""Tools for testing what uses the package: strategies of documents for Hypothesis.

Nothing of the package imports this one.
"""
