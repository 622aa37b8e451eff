"""Whether commands are really being sent: the one condition under which a watchdog is fed."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gridzero.ports.clock import Clock
from gridzero.runtime.sent_links import SentLinks


class Heartbeat:
    """Looks at the newest tick of the control loop and the newest bytes to each converter.

    That the event loop lives needs no look: whoever asks runs in it.
    """

    def __init__(
        self,
        clock: Clock,
        ticked_s: Callable[[], float],
        senders: Mapping[str, SentLinks],
        *,
        within_s: float = 6.0,
        excuse_lost_links: bool = False,
    ) -> None:
        """ticked_s: when the control loop last ticked. senders: by converter.

        excuse_lost_links: a converter whose link is down does not count, as long as another is
        reached: restarting does not plug a cable in.
        """
        self._clock, self._ticked_s, self._senders = clock, ticked_s, senders
        self._within_s, self._excuse = within_s, excuse_lost_links

    def missing(self) -> str:
        """What is missing, in words; empty while commands are decided and sent."""
        now_s = self._clock.now_s()
        age_s = now_s - self._ticked_s()
        if not age_s <= self._within_s:
            return f"the control loop has not ticked for {age_s:.1f} s"
        late = [name for name, sender in self._senders.items() if not self._reached(sender, now_s)]
        if self._excuse and len(late) < len(self._senders):
            late = [name for name in late if not self._senders[name].is_cut]
        return f"nothing has left for {', '.join(late)}" if late else ""

    def _reached(self, sender: SentLinks, now_s: float) -> bool:
        return sender.sent_at_s is not None and now_s - sender.sent_at_s <= self._within_s
