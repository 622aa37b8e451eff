"""What SocketCAN error frames say about a CAN controller (linux/can/error.h)."""

from __future__ import annotations

import structlog

from gridzero.ports.links import LinkHealth
from gridzero.ports.plugin import Report

log = structlog.get_logger()

CALM_S = 4.0  # without a sign of it for this long, the trouble is over

_CONTROLLER = 0x004  # details in data[1]
_BUS_OFF = 0x040
_RESTARTED = 0x100

_OVERFLOW = 0x03
_WARNING = 0x0C
_PASSIVE = 0x30
_ACTIVE = 0x40

JAMMED, FLOODED = "jammed", "flooded"
_TEXTS = {
    JAMMED: "what is sent does not leave: its queue is full",
    FLOODED: "somebody floods the bus",
}
_REMEDIES = {
    JAMMED: "Check that another node is powered, has the same bit rate, and that none babbles",
    FLOODED: "Unplug one node after the other until it ends; trace the link to see the frames",
    "error-warning": "Check bit rate, crystal, termination and cable",
    "error-passive": "Check that another node is powered and has the same bit rate",
    "bus-off": "Check for a short of CANH and CANL; set restart-ms 100 on the interface",
}


def state_told(error_class: int, data: bytes) -> str | None:
    """The controller's state (a LinkHealth state) by an error frame; None when it says nothing.

    error_class: the id bits of the error frame. data: its 8 bytes; socketcand sends fewer.
    """
    if error_class & _RESTARTED:
        return "up"
    if error_class & _BUS_OFF:
        return "bus-off"
    if error_class & _CONTROLLER and len(data) > 1:
        return _state_of_controller(data[1])
    return None


def _state_of_controller(detail: int) -> str | None:
    if detail & _PASSIVE:
        return "error-passive"
    if detail & _WARNING:
        return "error-warning"
    return "up" if detail & _ACTIVE else None


def tells_overflow(error_class: int, data: bytes) -> bool:
    """Whether the controller lost frames because nobody fetched them in time."""
    return bool(error_class & _CONTROLLER and len(data) > 1 and data[1] & _OVERFLOW)


class ControllerWatch:
    """Counts error frames, keeps ``health.state`` and reports ``can_errors`` once per change."""

    def __init__(self, name: str, health: LinkHealth, report: Report) -> None:
        self._name = name
        self._health = health
        self._report = report
        self._reported = "up"
        self._error_at_s = 0.0

    def take(self, error_class: int, data: bytes, now_s: float) -> None:
        """An error frame came."""
        self._health.error_frames += 1
        self._error_at_s = now_s
        if tells_overflow(error_class, data):
            self._health.skip("the controller overflowed")
        state = state_told(error_class, data)
        if state is not None and state != self._health.state:
            self._health.bus_off += state == "bus-off"
            self._set(state)

    def asked(self, state: str, now_s: float) -> None:
        """The kernel says in which state the controller is now."""
        if state != "up":
            self._error_at_s = now_s
        if state != self._health.state:
            self._health.bus_off += state == "bus-off"
            self._set(state)

    def jammed(self, now_s: float) -> None:
        """A frame could not be sent, because those before it are still there."""
        self._trouble(JAMMED, now_s)

    def flooded(self, now_s: float) -> None:
        """More frames come than any house needs."""
        self._trouble(FLOODED, now_s)

    def _trouble(self, what: str, now_s: float) -> None:
        self._error_at_s = now_s
        if self._reported == "up":
            self._tell(what)

    def heard(self) -> None:
        """A data frame came: whatever was missed, the controller is on the bus."""
        if self._health.state == "bus-off":
            self._set("up")

    def calm(self, now_s: float) -> None:
        """Call now and then: ends a trouble that is not repeated."""
        if self._reported == "up" or self._health.state == "bus-off":
            return
        if now_s - self._error_at_s >= CALM_S:
            self._set("up")
            self._reported = "up"
            log.info("can.calmed", link=self._name)
            self._report("can_errors", active=False, subject=self._name)

    def _set(self, state: str) -> None:
        self._health.state = state
        self._health.why = "" if state == "up" else f"the controller is {state}"
        if state not in {"up", self._reported}:
            self._tell(state)

    def _tell(self, state: str) -> None:
        self._reported = state
        log.warning("can.troubled", link=self._name, state=state)
        what = _TEXTS.get(state, f"the controller is {state}")
        self._report(
            "can_errors",
            active=True,
            text=f"{self._name}: {what}. {_REMEDIES[state]}",
            subject=self._name,
        )
