"""Hosts that run code at the edge: rules as data for one small program."""
