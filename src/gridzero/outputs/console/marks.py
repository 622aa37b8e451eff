"""What the console and the script client of ``gridzero console -c`` agree on."""

SCRIPT_TERMINAL = "gridzero-script"
"""The terminal type of a client that runs one word."""
ASKS_PASSWORD, ASKS_WORD, ENDS = "\x05", "\x06", "\x1e"
"""It is the client's turn; and what stands before the exit code at the end."""
