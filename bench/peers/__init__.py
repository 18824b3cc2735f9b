"""Site builders to compare with, one module each; the table is `PEERS`."""
