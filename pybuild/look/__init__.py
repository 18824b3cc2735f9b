"""The default look: its files, its colours and its words."""
