"""Where drivers and core meet. Neither imports the other; both import this."""
