"""Applications that use the package, as a template for your own."""
