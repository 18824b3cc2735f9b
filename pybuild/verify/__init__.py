"""Holding a deployed site against the export it was made from."""
