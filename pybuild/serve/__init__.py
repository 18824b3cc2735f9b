"""Serving a finished export on this machine: by pybuild itself, or through a real web server."""
