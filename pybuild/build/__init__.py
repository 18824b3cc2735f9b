"""The build: the phases in their order, and the export around them."""
