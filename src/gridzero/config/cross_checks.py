"""Rules that hold between the sections of a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from gridzero.battery.profile import PROFILES, overrides_of, profile
from gridzero.config.document import Document
from gridzero.config.explain import nearest
from gridzero.config.links import HttpLinkConfig
from gridzero.config.models import Config
from gridzero.config.problems import Notes, Path
from gridzero.config.sketch import Sketch
from gridzero.config.switch_checks import check_switches
from gridzero.config.window_checks import window_warnings
from gridzero.domain.modes import Mode, Strategy
from gridzero.ports.devices import Role
from gridzero.ports.plugin import WHOLE_LINK

_PLAIN_MQTT_PORT = 1883


def check_site(document: Document, notes: Notes, sketch: Sketch, config: Config | None) -> None:
    """Note what does not fit together; config is None when the file has other errors."""
    _Roles(document, notes, sketch).check()
    _Links(document, notes, sketch).check()
    _check_addresses(document, notes, sketch)
    check_switches(document, notes, sketch)
    _check_overrides(document, notes)
    _check_strategy(document, notes)
    if config is not None:
        _warn(document, notes, sketch, config)


def _check_addresses(document: Document, notes: Notes, sketch: Sketch) -> None:
    """No two devices answer to one address, and none shares a bus that needs its own bit rate."""
    taken: list[tuple[str, str, str]] = []
    for name in sketch.drivers:
        for link, address in sketch.addresses_of(name):
            for other, its_link, its_address in taken:
                same = address == its_address or WHOLE_LINK in (address, its_address)
                if link == its_link and other != name and same:
                    path = ("devices", name)
                    shared = f"link {link!r}" if WHOLE_LINK in (address, its_address) else address
                    what = f"{shared} is used by {other!r} already"
                    notes.tell(document.place(path), path, what, "Give each its own")
            taken.append((name, link, address))


class _Roles:
    """One meter, one battery, something that moves power."""

    def __init__(self, document: Document, notes: Notes, sketch: Sketch) -> None:
        self._document, self._notes, self._sketch = document, notes, sketch

    def check(self) -> None:
        if not isinstance(self._document.get(("devices",)), dict):
            return
        self._at_most_one(Role.METER, "meter", "Keep the one at the house connection")
        self._at_most_one(Role.CELLS, "cell monitor", "List all modules in one device")
        self._at_most_one(Role.SHUNT, "current sensor", "Keep the one that sees the whole current")
        if self._sketch.is_complete:
            self._at_least_one((Role.METER,), "grid meter", "mqtt_meter")
            self._at_least_one((Role.CELLS,), "cell monitor", "vw_gte")
            powers = (Role.CHARGER, Role.INVERTER)
            self._at_least_one(powers, "charger or inverter", "soyosource")

    def _at_most_one(self, role: Role, noun: str, remedy: str) -> None:
        first, *others = self._sketch.of_role(role) or [""]
        for name in others:
            path = ("devices", name)
            what = f"this is a second {noun}, the first is {first!r}"
            self._notes.tell(self._document.place(path), path, what, remedy)

    def _at_least_one(self, roles: tuple[Role, ...], noun: str, example: str) -> None:
        if not self._sketch.of_role(*roles):
            path = ("devices",)
            remedy = f"Add a device with such a driver, for example {example}"
            self._notes.tell(self._document.place(path), path, f"there is no {noun}", remedy)


class _Links:
    """Each device finds its links; no bus or port is opened twice."""

    def __init__(self, document: Document, notes: Notes, sketch: Sketch) -> None:
        self._document, self._notes, self._sketch = document, notes, sketch
        links = document.get(("links",))
        self._links: dict[str, Any] = links if isinstance(links, dict) else {}

    def check(self) -> None:
        self._no_bus_twice()
        serial_users: dict[str, str] = {}
        for device in self._sketch.drivers:
            for kind, name in self._used_by(device):
                self._check_link(device, kind, name)
                if kind == "serial" and serial_users.setdefault(name, device) != device:
                    self._tell_shared(device, name, serial_users[name])

    def _used_by(self, device: str) -> Iterator[tuple[str, str]]:
        """Also of a device with errors, as far as a key ``link`` says it."""
        if device in self._sketch.options:
            known = self._sketch.links_of(device)
            yield from ((kind, name) for kind, name in known if kind != "mqtt")
            return
        section = self._document.get(("devices", device))
        for path, value in _leaves(section, ("devices", device)):
            if path[-1] == "link" and isinstance(value, str):
                yield "", value

    def _check_link(self, device: str, kind: str, name: str) -> None:
        path = self._path_of(device, name)
        if path in self._document.spoilt:
            return
        place = self._document.place(path)
        if name not in self._links:
            known = ", ".join(self._links) or "none"
            remedy = f"{nearest(name, self._links)}Add it under links, which has: {known}"
            self._notes.tell(place, path, f"there is no link named {name!r}", remedy)
            return
        found = self._type_of(name)
        if kind and found and kind != found:
            what = f"the link {name!r} is of type {found}, but this needs {kind}"
            remedy = f"Name a link of type {kind}: {', '.join(self._of_type(kind)) or 'add one'}"
            self._notes.tell(place, path, what, remedy)

    def _tell_shared(self, device: str, name: str, other: str) -> None:
        path = self._path_of(device, name)
        what = f"the serial link {name!r} is already used by {other!r}"
        remedy = "Give each device a port of its own, or list the units in one device"
        self._notes.tell(self._document.place(path), path, what, remedy)

    def _no_bus_twice(self) -> None:
        first: dict[tuple[str, ...], str] = {}
        for name in self._links:
            bus = self._bus_of(name)
            other = first.setdefault(bus, name) if bus else name
            if other != name:
                path = ("links", name)
                what = f"this is the same bus or port as the link {other!r}"
                remedy = "Keep one of the two links and name it in both devices"
                self._notes.tell(self._document.place(path), path, what, remedy)

    def _bus_of(self, name: str) -> tuple[str, ...]:
        """What is opened for a link, () when it is not readable."""
        section = self._links[name]
        keys: Callable[[Any], tuple[object, ...]] | None = _BUS_KEYS.get(self._type_of(name))
        if keys is None or not isinstance(section, dict):
            return ()
        values = keys(section)
        return () if None in values else (self._type_of(name), *map(str, values))

    def _type_of(self, name: str) -> str:
        section = self._links[name]
        kind = section.get("type") if isinstance(section, dict) else None
        return kind if isinstance(kind, str) and kind in _BUS_KEYS else ""

    def _of_type(self, kind: str) -> list[str]:
        return [name for name in self._links if self._type_of(name) == kind]

    def _path_of(self, device: str, link: str) -> Path:
        """Where a device names a link."""
        base: Path = ("devices", device)
        named = [p for p, value in _leaves(self._document.get(base), base) if value == link]
        return next((p for p in named if p[-1] == "link"), next(iter(named), base))


_BUS_KEYS: dict[str, Callable[[Any], tuple[object, ...]]] = {
    "can": lambda s: (
        s.get("interface", "socketcan"),
        s.get("channel"),
        sorted(map(str, s["options"].items())) if isinstance(s.get("options"), dict) else "",
    ),
    "serial": lambda s: (s.get("port"),),
    "i2c": lambda s: (s.get("bus_number"),),
    "gpio": lambda s: (s.get("chip", "/dev/gpiochip0"),),
    "http": lambda s: (s.get("url"),),
    "udp": lambda s: (s.get("interface", "0.0.0.0"), s.get("port", 9522)),  # noqa: S104 - the model's default
}


def _leaves(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """All values below path that are no sections or lists. Depth is bounded by the reader."""
    if isinstance(value, dict):
        for key, below in value.items():
            yield from _leaves(below, (*path, key))
    elif isinstance(value, list):
        for index, below in enumerate(value):
            yield from _leaves(below, (*path, index))
    else:
        yield path, value


def _check_strategy(document: Document, notes: Notes) -> None:
    path = ("control", "strategy")
    if document.get(path) == Strategy.TARIFF and not document.get(("prices",)):
        what = "the strategy tariff needs prices, and there are none"
        notes.tell(document.place(path), path, what, "Add a section prices, see docs/value.md")


def _check_overrides(document: Document, notes: Notes) -> None:
    name = _profile_name(document)
    base = ("battery", "overrides")
    overrides, known = document.get(base), overrides_of(name)
    numbers: dict[str, float] = {}
    for key, value in overrides.items() if isinstance(overrides, dict) else ():
        if key not in known:
            names = ", ".join(sorted(known))
            place = document.keys.get((*base, key), document.place(base))
            what = f"the profile {name} has no such number"
            notes.tell(place, (*base, key), what, f"{nearest(key, known)}Known here: {names}")
        elif not isinstance(value, int | float) or isinstance(value, bool):
            continue  # the model has said so
        elif _check_range(document, notes, (*base, key), value, known[key]):
            numbers[key] = value
    series = _check_series_cells(document, notes, name)
    try:
        profile(name, numbers, series)
    except ValueError as error:
        notes.tell(document.place(base), base, str(error), "Change one of the two")


def _profile_name(document: Document) -> str:
    """The one that is chosen; the default when what is written is none."""
    name = document.get(("battery", "profile"))
    return name if isinstance(name, str) and name in PROFILES else "vw_gte_12s"


def _check_series_cells(document: Document, notes: Notes, name: str) -> int:
    """A number with which the rest can be checked, right or not."""
    path = ("battery", "series_cells")
    fixed, wanted = PROFILES[name].series_cells, document.get(path)
    if wanted is None and not fixed:
        place, what = document.place(("battery", "profile")), f"the profile {name} needs it"
        notes.tell(place, path, what, "Write series_cells: how many cells are in series")
    elif fixed and isinstance(wanted, int) and wanted != fixed:
        what = f"the profile {name} is for {fixed} cells in series"
        notes.tell(document.place(path), path, what, "Leave it out, or use profile nmc or lfp")
    return fixed or 12


def _check_range(
    document: Document, notes: Notes, path: Path, value: float, bounds: tuple[float, float]
) -> bool:
    low, high = bounds
    if low <= value <= high:
        return True
    what = f"{value:g} is not from {low:g} to {high:g}"
    notes.tell(document.place(path), path, what, "Limits may only be moved to the safe side")
    return False


def _warn(document: Document, notes: Notes, sketch: Sketch, config: Config) -> None:
    for path, what, remedy in _warnings(document, sketch, config):
        notes.warn(document.place(path), path, what, remedy)


def _warnings(
    document: Document, sketch: Sketch, config: Config
) -> Iterator[tuple[Path, str, str]]:
    if not sketch.of_role(Role.SHUNT):
        moves = "charging" if sketch.of_role(Role.CHARGER) else "discharging"
        what = f"no current sensor: {moves} above the limits of the battery is not noticed"
        yield ("devices",), what, "Fit a shunt, for example with the driver ads1115_shunt"
    used = {name for device in sketch.drivers for _, name in sketch.links_of(device)}
    for name in (name for name in config.links if name not in used):
        yield ("links", name), "no device uses this link", "Remove it"
    if config.control.mode in {Mode.CHARGE, Mode.DISCHARGE} and not config.control.power_w:
        what = f"the mode {config.control.mode} without power_w moves no power"
        yield ("control", "mode"), what, "Add power_w"
    if config.prices is not None and config.prices.export_ct >= config.prices.import_ct:
        what = "selling earns as much as buying costs: the target will not lean to a side"
        yield ("prices", "export_ct"), what, "Correct it unless it is really so"
    yield from _mqtt_warnings(document, config)
    yield from window_warnings(sketch, config)
    for name in sketch.options:
        for doubt in sketch.doubts_of(name):
            path = ("devices", name, doubt.key) if doubt.key else ("devices", name)
            yield path, doubt.what, doubt.remedy


def _mqtt_warnings(document: Document, config: Config) -> Iterator[tuple[Path, str, str]]:
    passwords: list[Path] = [("mqtt", "password")] if config.mqtt.password is not None else []
    for name, link in config.links.items():
        if isinstance(link, HttpLinkConfig) and link.password is not None:
            passwords.append(("links", name, "password"))
    for path in passwords:
        if path not in document.tagged:
            what = "the password stands in the configuration itself"
            yield path, what, f"Move it to secrets.yaml and write: !secret {path[-2]}_password"
    if config.mqtt.tls is not None and config.mqtt.port == _PLAIN_MQTT_PORT:
        yield ("mqtt", "tls"), "port 1883 usually has no encryption", "Most brokers use port: 8883"
