"""A settings form in Dash: ``python -m examples.settings_form.app``."""
