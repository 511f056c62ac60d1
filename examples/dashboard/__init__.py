"""A delivery dashboard in Dash: ``python -m examples.dashboard``.

``app`` connects the pages with the store, ``delivery`` reads what they show, ``forecast`` looks
ahead, and ``fetching`` asks Jira. ``layout/`` makes components and charts of it, which know no
store.
"""
