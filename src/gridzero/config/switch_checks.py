"""Rules about relays: each name is a switch, and each switch has one master."""

from __future__ import annotations

from collections.abc import Iterator

from gridzero.config.document import Document
from gridzero.config.explain import nearest
from gridzero.config.problems import Notes, Path
from gridzero.config.sketch import Sketch
from gridzero.ports.devices import Role

_KEYS: tuple[Path, ...] = (("battery", "contactor"), ("thermal", "heater"), ("thermal", "fan"))


def check_switches(document: Document, notes: Notes, sketch: Sketch) -> None:
    """Note names that are no switch, and switches that are named twice or not at all."""
    masters: dict[str, Path] = {}
    for path, name in _named(document, sketch):
        if _is_switch(document, notes, sketch, path, name):
            first = masters.setdefault(name, path)
            if first != path:
                what = f"the switch {name!r} is already {'.'.join(map(str, first))}"
                remedy = "Two masters would open and close it against each other: give each its own"
                notes.tell(document.place(path), path, what, remedy)
    for name in sketch.of_role(Role.SWITCH):
        if name not in masters:
            remedy = "Name it as contactor of a rectifier or the battery, or under thermal"
            what = "nothing uses this switch: it stays open"
            notes.warn(document.place(("devices", name)), ("devices", name), what, remedy)


def _named(document: Document, sketch: Sketch) -> Iterator[tuple[Path, str]]:
    for device in sketch.drivers:
        for name in sketch.switches_of(device):
            yield ("devices", device, "contactor"), name
    for path in _KEYS:
        name = document.get(path)
        if isinstance(name, str):
            yield path, name


def _is_switch(document: Document, notes: Notes, sketch: Sketch, path: Path, name: str) -> bool:
    known = sketch.of_role(Role.SWITCH)
    if name in known or path in document.spoilt:
        return name in known
    if name in sketch.drivers and sketch.drivers[name] is None:
        return False  # its driver is told as unknown
    if name in sketch.drivers:
        what = f"the device {name!r} is no switch"
    else:
        what = f"there is no device named {name!r}"
    remedy = f"{nearest(name, known)}Switches here: {', '.join(known) or 'none, add a gpio_switch'}"
    notes.tell(document.place(path), path, what, remedy)
    return False
