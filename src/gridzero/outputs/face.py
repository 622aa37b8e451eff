"""What a face is: something that people look at, beside the control process."""

from __future__ import annotations

from typing import Protocol


class Face(Protocol):
    """One thing that people look at, or that tells them.

    Faces share a process and an event loop with each other and with nothing else: one that
    fails is tried again, and no face can delay control.
    """

    @property
    def name(self) -> str:
        """For logs."""
        ...

    async def run(self) -> None:
        """Serve until cancelled. A GridzeroError is told and the face is tried again later."""
        ...
