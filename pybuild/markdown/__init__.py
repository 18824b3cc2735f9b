"""Markdown: text to HTML, and pages back to Markdown."""
