"""pybuild: a folder of routes becomes a site any static host serves."""
