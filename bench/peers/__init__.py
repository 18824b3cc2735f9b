"""Site builders to compare with, one module each; the table is in `bench/run.py`."""
