"""``python -m gridzero.bench.control``: compare control laws."""

from __future__ import annotations

import argparse
import sys

from gridzero.bench.control.command import add_arguments, run
from gridzero.errors import GridzeroError


def main() -> int:
    """Parse, compare, print; 2 for what cannot be compared."""
    parser = argparse.ArgumentParser(prog="python -m gridzero.bench.control")
    add_arguments(parser)
    try:
        return run(parser.parse_args())
    except GridzeroError as error:
        sys.stderr.write(f"{error}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main())
