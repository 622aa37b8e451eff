"""The normally open contactor on the battery side, fed with short leases."""

from __future__ import annotations

import structlog

from gridzero.ports.devices import Switch

log = structlog.get_logger()

LEASE_S = 3.0


class ContactorFeed:
    """Keeps a contactor closed while it is wanted; it falls open by itself when this stops."""

    def __init__(self, switch: Switch | None, device: str) -> None:
        self.switch = switch
        self._device = device
        self._feeding = False

    def is_open(self) -> bool | None:
        """None when there is no contactor; an unknown position counts as closed."""
        return None if self.switch is None else self.switch.is_closed() is False

    def renew(self, now_s: float) -> None:
        """While the rectifier is being stopped: the contactor opens after it, not before."""
        if self.switch is not None and self._feeding:
            self.switch.close(now_s + LEASE_S)

    def feed(self, now_s: float, *, wanted: bool) -> None:
        """Renew the lease, or open once."""
        if self.switch is None:
            return
        if wanted:
            self.switch.close(now_s + LEASE_S)
        elif self._feeding:
            self.switch.open()
        if wanted != self._feeding:
            self._feeding = wanted
            log.info("contactor.switched", device=self._device, closed=wanted)
