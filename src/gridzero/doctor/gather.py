"""Collects the evidence: reads, listens, and touches nothing that a running gridzero uses."""

from __future__ import annotations

import asyncio
import grp
import os
import time
from collections.abc import Mapping
from dataclasses import replace
from importlib import metadata
from pathlib import Path

from gridzero.doctor import interfaces, processes, tools
from gridzero.doctor.evidence import (
    DeviceFile,
    Evidence,
    Folder,
    Heard,
    House,
    Interface,
    Unseen,
)
from gridzero.doctor.listen import listen
from gridzero.doctor.person import Person, runner
from gridzero.doctor.port_rows import BY_ID, paths_of
from gridzero.doctor.root import Root
from gridzero.doctor.sensors import ask_sensors

WATCH_S = 2.0
"""Time between two looks at the counters of a bus, at least."""

_BOOT_FILES = ("/boot/firmware/config.txt", "/boot/config.txt")
_CONTAINERS = {"/.dockerenv": "docker", "/run/.containerenv": "podman"}


async def gather(
    house: House | None, root: Root | None = None, run: tools.Run = tools.run
) -> Evidence:
    """Everything, within some seconds."""
    root = root or Root()
    seen = machine_of(house, root, run)
    heard, _ = await asyncio.gather(_hear(house), asyncio.sleep(WATCH_S))
    seen = replace(seen, heard=heard, interfaces=later(seen, root))
    return replace(seen, sensors=await ask_sensors(seen))


def machine_of(
    house: House | None, root: Root, run: tools.Run, person: Person | None = None
) -> Evidence:
    """What can be read at once. person: as whom gridzero runs, found out unless given."""
    person = person or runner()
    told = run(("ip", "-details", "-statistics", "-json", "link"))
    details = told if isinstance(told, Unseen) else interfaces.details_of(told)
    seen = Evidence(
        house=house,
        user=person.name,
        interfaces=interfaces.interfaces_of(root, details),
        other_interfaces=interfaces.others_of(root),
        adapters=_adapters(root),
        boot=_boot(root),
        kernel_arguments=root.text("/proc/cmdline"),
        now_s=time.time(),
        is_synchronised=_synchronised(root, run),
        others=processes.gridzeros_of(root),
        container=next(
            (word for file, word in _CONTAINERS.items() if root.at(file).exists()), None
        ),
        python_can=_version("python-can"),
    )
    seen = replace(seen, devices=_devices(root, tuple(paths_of(seen)), person))
    return seen if house is None else _with_state(seen, root, house.config.site.state_dir, person)


def _with_state(seen: Evidence, root: Root, state: str, person: Person) -> Evidence:
    here = root.at(state) if state.startswith("/") else Path(state).absolute()
    holder = processes.lock_holder_of(root, here / "lock")
    return replace(seen, folder=folder_of(root, here, person), lock_holder=holder)


async def _hear(house: House | None) -> Heard | None:
    return None if house is None else await listen(house.config)


def later(seen: Evidence, root: Root) -> Mapping[str, Interface] | Unseen:
    """The interfaces with their counters once more."""
    if isinstance(seen.interfaces, Unseen):
        return seen.interfaces
    return {
        name: replace(one, after=interfaces.counters_of(root, name))
        for name, one in seen.interfaces.items()
    }


def _boot(root: Root) -> str | Unseen | None:
    return next((text for file in _BOOT_FILES if (text := root.text(file)) is not None), None)


def _adapters(root: Root) -> Mapping[str, str] | Unseen:
    names = root.names(BY_ID)
    if isinstance(names, Unseen):
        return names
    return {name: root.leads_to(f"{BY_ID}/{name}") for name in names or ()}


def _synchronised(root: Root, run: tools.Run) -> bool | Unseen | None:
    """systemd-timesyncd leaves a file (systemd-timesyncd.service(8)); others are asked for."""
    if root.at("/run/systemd/timesync/synchronized").exists():
        return True
    told = run(("timedatectl", "show", "--property=NTPSynchronized", "--value"))
    if isinstance(told, Unseen):
        return told
    return {"yes": True, "no": False}.get(told.strip())


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _devices(root: Root, paths: tuple[str, ...], person: Person) -> Mapping[str, DeviceFile]:
    real = {path: root.leads_to(path) for path in paths}
    held, saw_all = processes.holders_of(root, real.values())
    files = (_device(root, path, real[path], person) for path in paths)
    return {file.path: replace(file, holders=held[file.real], all_seen=saw_all) for file in files}


def _device(root: Root, path: str, real: str, person: Person) -> DeviceFile:
    here = root.at(real)
    try:
        group, may_open = here.stat().st_gid, person.may(here, os.R_OK | os.W_OK)
    except (OSError, ValueError):
        return DeviceFile(path, exists=False, real=real)
    return DeviceFile(path, exists=True, real=real, may_open=may_open, group=_group(group))


def _group(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)


def folder_of(root: Root, state: Path, person: Person) -> Folder | Unseen:
    """The state folder, or where it would be made."""
    try:
        folder = next(path for path in (state, *state.parents) if path.is_dir())
        room, may_write = os.statvfs(folder), person.may(folder, os.W_OK)
    except (OSError, ValueError) as error:
        return Unseen(f"{state} cannot be looked at: {error}")
    return Folder(
        wanted=root.name_of(state),
        path=root.name_of(folder),
        free_bytes=room.f_bavail * room.f_frsize,
        may_write=may_write,
        is_read_only=bool(room.f_flag & os.ST_RDONLY),
    )
