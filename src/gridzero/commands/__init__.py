"""One file a command: those that ask a running gridzero, and small ones on files."""
