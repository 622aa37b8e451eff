"""``python -m gridzero.bench.control``: the same as ``gridzero bench control``."""

from __future__ import annotations

import argparse
import sys

from gridzero.bench.control.arguments import add
from gridzero.bench.control.command import run
from gridzero.errors import GridzeroError


def main() -> int:
    """Parse, compare, print; 2 for what cannot be compared."""
    parser = argparse.ArgumentParser(prog="python -m gridzero.bench.control")
    add(parser)
    try:
        return run(parser.parse_args())
    except GridzeroError as error:
        sys.stderr.write(f"{error}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main())
