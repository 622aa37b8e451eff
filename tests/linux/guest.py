#!/usr/bin/env python3
"""Runs a command on a real Linux with SocketCAN: user-mode Linux, an ordinary process on this machine.

    tests/linux/guest.py [--memory MIB] [--limit S] [--keep DIR] -- COMMAND [ARGUMENT ...]

The guest sees the files of this machine and starts COMMAND in the present folder, as root, at
native speed, with the environment that begins with one of PASSED_ON and GRIDZERO_GUEST=1. Its
output is shown while it comes, and its exit status is ours. What it writes is lost, except below
DIR (made when missing; the guest finds it under the same path). For example an hour of anything:

    tests/linux/guest.py --limit 4000 --memory 2048 --keep build/soak -- \
        "$PWD/.venv-python3/bin/python" tests/soak/real.py --hours 1 --output build/soak

There are vcan0, vcan1, the pair can0 <-> can1 (vxcan: a cable with two ends), all up, and the
loopback; no other network. slcan and netem are loaded (``tc qdisc add dev can0 root netem ...``).
A broker or any other installed program can be started in it. The clock is this machine's.

Exit status: COMMAND's; 124 when it was not done after S seconds; 70 when the guest ended without
one. Where no guest is possible, one line "skipped: why" and 0. It installs what it needs (kmod,
iproute2) and keeps the kernel below .cache/uml of the checkout; several may run side by side.
"""

from __future__ import annotations

import argparse
import os
import platform
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

CACHE = Path(__file__).resolve().parents[2] / ".cache" / "uml"
KERNEL = CACHE / "kernel"
PASSED_ON = ("PATH=", "HOME=", "LANG=", "LC_", "PYTHON", "PYTEST", "GRIDZERO_", "VIRTUAL_ENV=")
INSTALLED = {"insmod": "kmod", "ip": "iproute2", "tc": "iproute2"}
MODULES = (
    "net/can/can",
    "net/can/can-raw",
    "drivers/net/can/dev/can-dev",
    "drivers/net/dummy",
    "drivers/net/can/vcan",
    "drivers/net/can/vxcan",
    "drivers/net/can/slcan/slcan",
    "net/sched/sch_netem",
)
TOO_LONG = 124
NO_STATUS = 70
LOOK_EVERY_S = 0.05
END_LIMIT_S = 5.0
# one after the other with what make installs; and patience with anything else
APT = ("flock", "/var/lib/dpkg", "apt-get", "-o", "DPkg::Lock::Timeout=300")

# Mounts a throw-away layer above the files of this machine, and starts the script in there.
INIT = """#!/bin/bash
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
exec </dev/null
mount -t tmpfs tmpfs /mnt && mkdir /mnt/upper /mnt/work /mnt/root && insmod {modules}/fs/overlayfs/overlay.ko &&
mount -t overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work overlay /mnt/root &&
for each in {shared}; do mount -t hostfs -o "$each" hostfs "/mnt/root$each" || exit; done
mount -t proc proc /mnt/root/proc
mount -t sysfs sysfs /mnt/root/sys
mount -t tmpfs tmpfs /mnt/root/run
mount -t devtmpfs devtmpfs /mnt/root/dev
mkdir -p /mnt/root/dev/pts /mnt/root/dev/shm
mount -t devpts devpts /mnt/root/dev/pts
mount -t tmpfs tmpfs /mnt/root/dev/shm
chroot /mnt/root /bin/bash {desk}/script >/mnt/root{desk}/output 2>&1
echo $? >/mnt/root{desk}/status.part
mv /mnt/root{desk}/status.part /mnt/root{desk}/status
sync
echo o >/mnt/root/proc/sysrq-trigger
sleep 5
"""

# What the command finds in the guest.
SCRIPT = """export PATH=$PATH:/usr/sbin:/sbin
{environment}
export GRIDZERO_GUEST=1
ulimit -n 65536
ip link set lo up
for each in {loaded}; do insmod "{modules}/$each.ko" || exit {no_status}; done
for each in vcan0 vcan1; do ip link add "$each" type vcan && ip link set "$each" up; done
ip link add can0 type vxcan peer name can1 && ip link set can0 up && ip link set can1 up
cd {folder} && exec {command}
"""


class Impossible(Exception):
    """There can be no guest on this machine; says why."""


class Order(NamedTuple):
    """What is asked of one guest."""

    command: Sequence[str]
    memory_mib: int
    limit_s: float
    keep: Path | None


def kernel() -> Path:
    """Debian's user-mode Linux, fetched on first use. Raises Impossible."""
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        raise Impossible(f"user-mode Linux is for amd64, and this is {platform.machine()}")
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        raise Impossible("user-mode Linux is taken from Debian's packages, and this is no Debian")
    if os.geteuid() != 0:
        raise Impossible("it needs root, to see the files of this machine as they are")
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    missing = {package for program, package in INSTALLED.items() if not shutil.which(program)}
    if missing:
        _apt(("install", "-y", "--no-install-recommends", *sorted(missing)))
    if not KERNEL.exists():
        _fetch()
    return KERNEL / "usr/bin/linux.uml"


def _fetch() -> None:
    """Unpack the package beside its final place, so that an interrupted start leaves none."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as made:
        _apt(("download", "user-mode-linux"), folder=made)
        package = next(Path(made).glob("user-mode-linux_*.deb"))
        subprocess.run(["dpkg-deb", "-x", package.name, "unpacked"], cwd=made, check=True)
        if not KERNEL.exists():
            (Path(made) / "unpacked").rename(KERNEL)


def _apt(order: Sequence[str], folder: str | None = None) -> None:
    """apt-get, once more after an update where its lists are old or missing. Raises Impossible."""
    if _try((*APT, *order), folder):
        return
    _try((*APT, "update"), folder)
    if not _try((*APT, *order), folder):
        raise Impossible(f"apt-get {shlex.join(order)} failed")


def _try(order: Sequence[str], folder: str | None) -> bool:
    return not subprocess.run(order, cwd=folder, capture_output=True, check=False).returncode


def write_desk(desk: Path, order: Order) -> None:
    """The files of one guest: how it begins, and what it does then."""
    modules = next(KERNEL.glob("usr/lib/uml/modules/*")) / "kernel"
    shared = [str(desk)] + ([str(order.keep)] if order.keep else [])
    environment = (f"{name}={value}" for name, value in os.environ.items())
    told = [f"export {shlex.quote(each)}" for each in environment if each.startswith(PASSED_ON)]
    (desk / "init").write_text(INIT.format(modules=modules, shared=shlex.join(shared), desk=desk))
    (desk / "init").chmod(0o755)
    (desk / "script").write_text(
        SCRIPT.format(
            environment="\n".join(told),
            loaded=" ".join(MODULES),
            modules=modules,
            no_status=NO_STATUS,
            folder=shlex.quote(str(Path.cwd())),
            command=shlex.join(order.command),
        )
    )
    (desk / "output").touch()


@contextmanager
def guest(program: Path, desk: Path, memory_mib: int) -> Iterator[subprocess.Popen[bytes]]:
    """The running guest; nothing is left of it afterwards."""
    options = f"mem={memory_mib}M root=/dev/root rootfstype=hostfs rootflags=/ ro quiet"
    with (desk / "console").open("wb") as console:
        process = subprocess.Popen(
            [str(program), *options.split(), f"init={desk}/init", "con0=null,fd:1", "con=null"],
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=console,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        with_patience = process.poll() is None and (desk / "status").exists()
        try:
            process.wait(END_LIMIT_S if with_patience else 0)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def follow(process: subprocess.Popen[bytes], desk: Path, limit_s: float) -> int:
    """Show what the guest says until it is done; its exit status."""
    end_s = time.monotonic() + limit_s
    with (desk / "output").open("rb") as output:
        while True:
            is_over = (desk / "status").exists() or process.poll() is not None
            shutil.copyfileobj(output, sys.stdout.buffer)
            sys.stdout.flush()
            if is_over:
                return _status(desk)
            if time.monotonic() > end_s:
                print(f"guest: not done after {limit_s:g} s", file=sys.stderr)
                return TOO_LONG
            time.sleep(LOOK_EVERY_S)


def _status(desk: Path) -> int:
    if (desk / "status").exists():
        return int((desk / "status").read_text())
    print("guest: it ended without a status; its last words:", file=sys.stderr)
    print((desk / "console").read_text(errors="replace")[-800:], file=sys.stderr)
    return NO_STATUS


def run(order: Order) -> int:
    """One guest, from its start to its end. Raises Impossible."""
    program = kernel()
    if order.keep:
        order.keep.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="guest-", dir=CACHE) as made:
        desk = Path(made)
        write_desk(desk, order)
        with guest(program, desk, order.memory_mib) as process:
            return follow(process, desk, order.limit_s)


def _order() -> Order:
    parser = argparse.ArgumentParser(description="Runs a command on a real Linux with SocketCAN.")
    parser.add_argument("--memory", type=int, default=1024, metavar="MIB", help="of the guest")
    parser.add_argument("--limit", type=float, default=900.0, metavar="S", help="at most so long")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="what is written there stays")
    parser.add_argument("command", nargs="+", metavar="COMMAND")
    given = parser.parse_args()
    keep = given.keep.resolve() if given.keep else None
    return Order(given.command, given.memory, given.limit, keep)


def main() -> int:
    """The exit status, see above."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        return run(_order())
    except Impossible as why:
        print(f"skipped: {why}")
        return 0


if __name__ == "__main__":
    sys.exit(main())
