"""Settings: their schema, the file, its lines, the options of a command."""
