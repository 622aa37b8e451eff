"""What goes out to people and other programs. Nothing here can hold up control."""
