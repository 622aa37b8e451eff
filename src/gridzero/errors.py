"""Every error says what happened, where, and what to do about it."""

from __future__ import annotations


class GridzeroError(Exception):
    """Base of all errors that a person may read.

    what: what happened, in plain words. where: the device, file or link.
    remedy: what the reader can do about it.
    """

    def __init__(self, what: str, *, where: str, remedy: str) -> None:
        super().__init__(f"{where}: {what}. {remedy}")
        self.what = what
        self.where = where
        self.remedy = remedy


class ConfigError(GridzeroError):
    """The configuration does not fit; nothing was started."""


class HeldError(ConfigError):
    """Another process has what only one may have; nothing was started. It may let go of it."""


class DeviceError(GridzeroError):
    """A device or link is not usable now; the supervisor retries."""


class DeviceSilent(DeviceError):
    """No valid answer in time."""


class LinkError(DeviceError):
    """A bus, port or broker cannot be opened or has broken."""


class FrameError(GridzeroError):
    """Bytes that do not fit the protocol; counted and skipped, never fatal."""

    def __init__(
        self, what: str, *, where: str = "frame", remedy: str = "The frame is skipped"
    ) -> None:
        super().__init__(what, where=where, remedy=remedy)
