"""The documentation as a site: ``python -m docs.site`` builds and checks it."""
