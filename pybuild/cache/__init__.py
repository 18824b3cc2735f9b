"""The incremental cache: what an export may take over from the one before.

Owns all that is kept in `.pybuild/cache`. An export with it makes the same bytes and the same findings as one
without; what is damaged, foreign or in doubt counts as absent. Nothing here runs what it reads.
"""
