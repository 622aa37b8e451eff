"""What was found on the machine, before anybody judges it.

Three things are kept apart everywhere: a value, None (it is not there), and Unseen (nobody could
look). Only the first two can be wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from gridzero.config.models import Config

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Unseen:
    """It could not be looked at. why: in words, without a full stop."""

    why: str


@dataclass(frozen=True, slots=True)
class House:
    """What the configuration wants of the machine.

    sensors: (link, address) of each device on an I2C bus.
    """

    file: str
    config: Config
    sensors: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Counters:
    """Of one network interface since it was made (/sys/class/net/NAME/statistics)."""

    received: int = 0
    sent: int = 0
    receive_errors: int = 0
    send_errors: int = 0
    overruns: int = 0


@dataclass(frozen=True, slots=True)
class CanDetails:
    """What ``ip -details -json link`` says of a CAN controller.

    state: "ERROR-ACTIVE", "ERROR-WARNING", "ERROR-PASSIVE", "BUS-OFF" or "STOPPED". bitrate,
    restart_ms and clock_hz are None where the driver has none (vcan). The clock of an MCP2515 is
    half its crystal; an adapter on a serial line (kernel slcan) tells 0.
    """

    kind: str = "can"
    state: str | None = None
    bitrate: int | None = None
    restart_ms: int | None = None
    clock_hz: int | None = None
    bus_offs: int = 0

    @property
    def is_serial(self) -> bool:
        """Whether the kernel's slcan drives it.

        That one refuses restart-ms: "Device doesn't support restart from Bus Off" (seen with
        Linux 6 in user mode).
        """
        return self.clock_hz == 0


@dataclass(frozen=True, slots=True)
class Interface:
    """One CAN interface. before and after: its counters, some seconds apart."""

    name: str
    is_up: bool | None
    queue_length: int | None
    details: CanDetails | Unseen | None
    before: Counters = Counters()
    after: Counters = Counters()


@dataclass(frozen=True, slots=True)
class Process:
    """A running program. command: its words, cut off after some."""

    pid: int
    command: str


@dataclass(frozen=True, slots=True)
class DeviceFile:
    """A file below /dev that the configuration names.

    real: the file that the name leads to. may_open: by the user that gridzero runs as. group: who
    may besides root. holders: programs that have it open; all_seen: whether every program could be
    looked at.
    """

    path: str
    exists: bool
    real: str = ""
    may_open: bool = True
    group: str = ""
    holders: tuple[Process, ...] = ()
    all_seen: bool = True


@dataclass(frozen=True, slots=True)
class Folder:
    """Where the state is kept. wanted: that folder. path: it, or the nearest above that exists."""

    wanted: str
    path: str
    free_bytes: int
    may_write: bool
    is_read_only: bool = False


@dataclass(frozen=True, slots=True)
class Heard:
    """What came over MQTT in a few seconds.

    trouble: why there is no connection, "" = there is one. status: the word of a running gridzero
    (kept by the broker), None = none. state: its newest, None = none came.
    home_assistant: the last word on its birth topic.
    """

    trouble: str = ""
    remedy: str = ""
    status: str | None = None
    state: Mapping[str, Any] | None = None
    home_assistant: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that the rows may look at."""

    house: House | None = None
    user: str = ""
    """As whom gridzero runs."""
    interfaces: Mapping[str, Interface] | Unseen = field(default_factory=dict)
    other_interfaces: tuple[str, ...] = ()
    adapters: Mapping[str, str] | Unseen = field(default_factory=dict)
    """Names below /dev/serial/by-id, and the device file that each leads to."""
    devices: Mapping[str, DeviceFile] = field(default_factory=dict)
    boot: str | Unseen | None = None
    """config.txt of a Raspberry Pi."""
    kernel_arguments: str | Unseen | None = None
    now_s: float = 0.0
    """Seconds since 1970, UTC."""
    is_synchronised: bool | Unseen | None = None
    folder: Folder | Unseen | None = None
    lock_holder: int | Unseen | None = None
    """The process that holds the state folder."""
    others: tuple[Process, ...] | Unseen = ()
    """Every running ``gridzero run``."""
    container: str | None = None
    heard: Heard | Unseen | None = None
    sensors: Mapping[tuple[str, int], str | Unseen] = field(default_factory=dict)
    """By link and address: "" = it answers, else why it does not."""
    python_can: str | None = None
    config_problem: str = ""

    @property
    def is_running(self) -> bool:
        """Whether a gridzero of this configuration is at work, as far as can be seen."""
        heard = self.heard
        speaks = isinstance(heard, Heard) and (heard.status == "online" or heard.state is not None)
        return isinstance(self.lock_holder, int) or speaks
