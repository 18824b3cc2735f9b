"""Servers people run: each host's rules as its own configuration."""
