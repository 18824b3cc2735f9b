"""Metadata of a page: fields, layers, and the tags in its head."""
