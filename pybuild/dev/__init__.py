"""The author's server: the site as an export would publish it, made while it is asked for, and again when it changes."""
