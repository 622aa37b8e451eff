"""Command line."""


def main() -> int:
    """Entry."""
    return 0
