"""What a driver folder exports: ``plugin = DriverPlugin(...)``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from pydantic import BaseModel, ConfigDict

from gridzero.domain.converters import DcWindow
from gridzero.ports.clock import Clock
from gridzero.ports.devices import Device, OfflineValues, Role
from gridzero.ports.links import CanFrame, Links
from gridzero.ports.twins import DeviceTwin, World


class Options(BaseModel):
    """Base of every device section of the configuration: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Report(Protocol):
    """How a driver tells people about a fault; saying the same again is harmless."""

    def __call__(self, code: str, *, active: bool, text: str = "", subject: str = "") -> None:
        """code: a row of docs/faults.md. subject: what of the device, "" = the device itself."""
        ...


@dataclass(frozen=True, slots=True)
class DriverContext:
    """All that a driver is given. name: the device's key in the configuration."""

    name: str
    clock: Clock
    links: Links
    report: Report


class Doubt(NamedTuple):
    """Something in a device's section that works but deserves a second look.

    key: of the section, "" = all of it.
    """

    key: str
    what: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Settings for a device that is known by name.

    number: row of docs/meters.md. title: the device in its maker's words. settings: as they
    would stand in the configuration; ``{id}`` in texts is what a person fills in. id_means: what
    that is, "" = nothing is needed. example_id: one for documents. traps: what to know about it.
    unfit: why it cannot hold the grid at zero, "" = it can.
    """

    name: str
    number: int
    title: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    id_means: str = ""
    example_id: str = ""
    traps: tuple[str, ...] = ()
    unfit: str = ""


WHOLE_LINK = "*"


def _no_words(_options: Any, _seen: CanFrame | bytes) -> str:
    return ""


def _no_switches(_options: Any) -> tuple[str, ...]:
    return ()


def _no_doubts(_options: Any) -> tuple[Doubt, ...]:
    return ()


def _no_window(_options: Any) -> DcWindow:
    return DcWindow()


def _no_addresses(_options: Any) -> tuple[tuple[str, str], ...]:
    return ()


@dataclass(frozen=True, slots=True)
class DriverPlugin:
    """One driver.

    options: pydantic model (subclass of Options) of the device's section in the YAML file.
    build(options, context): the device, which meets the port of its role.
    twin(options, world, seed): the simulated device on the same links.
    check_vector(vector): runs one test vector (shape of ../protocols/vectors) through the
        codec; returns "" or what differs.
    roles: every role that the built device meets.
    link_names(options): (kind, name) of each link the options refer to; kind is "can",
        "serial", "i2c", "gpio", "http", "udp" or "mqtt".
    addresses(options): (link name, address on it) that no other device may use; WHOLE_LINK
        stands for every address, as where bit rates differ.
    switches(options): names of the switches that the device works itself, at most one; it is
        put into the device's attribute ``contactor`` before run().
    dc_window(options): pack voltages at which a converter works, as in its ConverterSpec.
    doubts(options): what ``gridzero check`` should warn of.
    profiles: devices that the driver knows by name.
    explain(options, seen): a CAN frame, or bytes of a serial line, in words for a trace, in
        either direction; "" when they are none of this device's. Raises nothing.
    offline(options, context): what a person may store in the device for the time in which nobody
        speaks to it; None = nothing.
    """

    name: str
    summary: str
    role: Role
    options: type[Options]
    build: Callable[[Any, DriverContext], Device]
    twin: Callable[[Any, World, int], DeviceTwin]
    check_vector: Callable[[Mapping[str, Any]], str]
    link_names: Callable[[Any], tuple[tuple[str, str], ...]]
    addresses: Callable[[Any], tuple[tuple[str, str], ...]] = _no_addresses
    switches: Callable[[Any], tuple[str, ...]] = _no_switches
    doubts: Callable[[Any], tuple[Doubt, ...]] = _no_doubts
    dc_window: Callable[[Any], DcWindow] = _no_window
    profiles: tuple[Profile, ...] = ()
    explain: Callable[[Any, CanFrame | bytes], str] = _no_words
    offline: Callable[[Any, DriverContext], OfflineValues] | None = None
