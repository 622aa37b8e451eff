"""When a verdict that only current can lift is put to the test again."""

from __future__ import annotations

from typing import Final

LEAST_PAUSE_S: Final = 60.0
LONGEST_PAUSE_S: Final = 1800.0
_RELAPSE_S = 600.0


class Retrial:
    """Power is refused while a verdict stands, and without power nothing can speak against it.

    So after a pause the accused is believed on trial. A verdict on trial, or soon after one was
    lifted, doubles the next pause. on_trial: believed, but not yet cleared.
    """

    def __init__(self) -> None:
        self.on_trial = False
        self._pause_s = LEAST_PAUSE_S
        self._due_s = float("inf")
        self._cleared_s = float("-inf")

    def convict(self, now_s: float) -> None:
        """The verdict stands from now on."""
        relapsed = self.on_trial or now_s - self._cleared_s < _RELAPSE_S
        self._pause_s = min(2.0 * self._pause_s, LONGEST_PAUSE_S) if relapsed else LEAST_PAUSE_S
        self.on_trial, self._due_s = False, now_s + self._pause_s

    def begins(self, now_s: float) -> bool:
        """Whether the pause has just ended: then the trial begins with this call."""
        if not now_s >= self._due_s:
            return False
        self.on_trial, self._due_s = True, float("inf")
        return True

    def clear(self, now_s: float) -> None:
        """The accused has shown that it is well; nothing happens where nothing was the matter."""
        if self.on_trial or self._due_s < float("inf"):
            self.on_trial, self._due_s, self._cleared_s = False, float("inf"), now_s
