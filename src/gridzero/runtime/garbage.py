"""Python's search for garbage, kept short: control must not stand still for it."""

from __future__ import annotations

import gc


def spare_what_is_there() -> None:
    """What a process has when it is set up stays for good; only what comes later is searched.

    Modules, classes and the house itself are some 75,000 objects, and the search through all of
    them holds up everything else for tens of milliseconds, on a Pi for some hundred. Python also
    waits for a quarter as much garbage before it does so, which in a quiet process takes an hour,
    in which memory grows. Afterwards a search is quick, and comes soon.
    """
    gc.collect()  # what is garbage now would stay, too
    gc.freeze()
    gc.collect()  # of nearly nothing: from now on "a quarter" is a quarter of that
