"""A hardware watchdog by the kernel's interface (Documentation/watchdog/watchdog-api.rst).

Opening the device starts the countdown, each write starts it anew, and closing it after the
letter V ends it. Closing without V, as when the process is killed, lets it run out.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
from contextlib import suppress

from gridzero.errors import LinkError

_SETTIMEOUT = 0xC0045706  # _IOWR('W', 6, int): the driver answers with what it really took
_SIGN_OF_LIFE = b"\0"
_FAREWELL = b"V"
_REMEDIES = {
    errno.ENOENT: "Enable it (dtparam=watchdog=on) or give the container the device",
    errno.EACCES: "Let the user write it, by a udev rule or a group",
    errno.EBUSY: "Another program holds it: set RuntimeWatchdogSec=0 in systemd's system.conf",
}
_REMEDY = "Check the device in watchdog.hardware"


class WatchdogDevice:
    """One watchdog device. timeout_s: what is in force after open(), None = the driver's own."""

    def __init__(self, path: str, wanted_s: int) -> None:
        self.path = path
        self.timeout_s: int | None = None
        self._wanted_s = wanted_s
        self._handle: int | None = None

    @property
    def is_armed(self) -> bool:
        """Whether the countdown runs."""
        return self._handle is not None

    def pet(self) -> None:
        """Start the countdown anew; the first time opens the device. Raises LinkError."""
        try:
            if self._handle is None:
                self._handle = os.open(self.path, os.O_WRONLY | os.O_CLOEXEC | os.O_NONBLOCK)
                self.timeout_s = self._set_timeout(self._handle)
            os.write(self._handle, _SIGN_OF_LIFE)
        except OSError as error:
            self._let_go()
            remedy = _REMEDIES.get(error.errno or 0, _REMEDY)
            what = f"cannot feed {self.path}: {error.strerror}"
            raise LinkError(what, where="watchdog", remedy=remedy) from error

    def disarm(self) -> None:
        """End the countdown; a kernel with nowayout lets it run out all the same. Never raises."""
        if self._handle is not None:
            with suppress(OSError):
                os.write(self._handle, _FAREWELL)
            self._let_go()

    def _let_go(self) -> None:
        handle, self._handle = self._handle, None
        if handle is not None:
            with suppress(OSError):
                os.close(handle)

    def _set_timeout(self, handle: int) -> int | None:
        """What the driver took; None when it cannot be set, as for a driver with a fixed one."""
        try:
            taken = fcntl.ioctl(handle, _SETTIMEOUT, struct.pack("i", self._wanted_s))
        except OSError:
            return None
        return int(struct.unpack("i", taken)[0])
