"""Recorders in a process of their own, to be killed or starved of disk.

history_child.py write FILE FROM   batches without end; prints the number of samples after each
history_child.py full FILE         a disk that is full for a while; prints what was told
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path

from history_house import NOON_DS, House, rows_in, samples

from gridzero.outputs.history.samples import Batch
from gridzero.outputs.history.store import Store
from gridzero.sim.loop import run_simulated

_SIZE = 30


def write(file: Path, begin: int) -> None:
    store, number = Store.open(file), begin
    while True:
        store.write(Batch(samples=samples(_SIZE, NOON_DS + 10 * number)))
        number += _SIZE
        print(number, flush=True)


async def full(file: Path) -> None:
    house = House(file)
    async with house.recording():
        await house.live(120)
        limit = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1024, limit[1]))
        await house.live(300)
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        await house.live(120)
    print(json.dumps({"events": house.events, "rows": rows_in(file)}))


if __name__ == "__main__":
    if sys.argv[1] == "write":
        write(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        run_simulated(full(Path(sys.argv[2])))
