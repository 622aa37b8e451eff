"""What passes on a link, in words: frames that control publishes while somebody asks."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

from gridzero.outputs.console.dig import Tree, items, number
from gridzero.outputs.console.paint import Line, line
from gridzero.outputs.feed import Feed
from gridzero.ports.devices import Role
from gridzero.ports.links import CanFrame

RENEW_S = 5.0
_MOST_FRAMES = 400
_JOIN_S = 0.05
_LONGEST_HEX = 48

Explain = Callable[[CanFrame | bytes], str]


@dataclass(frozen=True, slots=True)
class TracedLink:
    """A link that can be watched. explains: the devices on it; roles: what they are."""

    name: str
    kind: str
    explains: tuple[Explain, ...] = ()
    roles: tuple[Role, ...] = ()


class Seen(NamedTuple):
    """One frame, or one piece of a serial line. at_s: of control's clock."""

    at_s: float
    is_received: bool
    what: CanFrame | bytes


class Tracer:
    """Hands what is heard of links to the sessions that watch them."""

    def __init__(self, feed: Feed, links: Sequence[TracedLink]) -> None:
        self.links: Mapping[str, TracedLink] = {link.name: link for link in links}
        self._feed = feed
        self._watchers: dict[str, list[Watcher]] = {name: [] for name in self.links}
        for name in self.links:
            feed.on(f"trace/{name}", self._taker(name))

    def named(self, kind: str) -> list[str]:
        """Names of the links of a kind."""
        return [link.name for link in self.links.values() if link.kind == kind]

    def of_role(self, role: Role) -> list[str]:
        """Names of the links with such a device."""
        return [link.name for link in self.links.values() if role in link.roles]

    @contextmanager
    def watching(self, name: str) -> Iterator[Watcher]:
        """A watcher of that link while inside."""
        watcher = Watcher(self.links[name])
        self._watchers[name].append(watcher)
        try:
            yield watcher
        finally:
            self._watchers[name].remove(watcher)

    def _taker(self, name: str) -> Callable[[Tree], None]:
        def take(values: Tree) -> None:
            for watcher in self._watchers[name]:
                watcher.take(values)

        return take


class Watcher:
    """Frames of one link that one session has not shown yet; the oldest give way."""

    def __init__(self, link: TracedLink) -> None:
        self.link = link
        self.dropped = 0
        self._seen: deque[Seen] = deque()
        self._first_s: float | None = None

    def take(self, values: Tree) -> None:
        """A message of gridzero/trace/NAME."""
        self.dropped += int(number(values, "dropped") or 0)
        for frame in items(values, "frames"):
            seen = parsed(frame)
            if seen is not None:
                self._seen.append(seen)
        while len(self._seen) > _MOST_FRAMES:
            self._seen.popleft()
            self.dropped += 1

    def lines(self, *, raw: bool) -> list[Line]:
        """Those that were not shown yet."""
        if self._first_s is None and self._seen:
            self._first_s = self._seen[0].at_s
        found = joined(self._seen) if self.link.kind == "serial" else list(self._seen)
        self._seen.clear()
        rows = [trace_line(seen, self._first_s or 0.0, self.link.explains, raw) for seen in found]
        if self.dropped:
            rows.append(line(("warn", f"         {self.dropped} more that were not shown")))
            self.dropped = 0
        return rows


def parsed(frame: Any) -> Seen | None:
    """[at_s, "rx" or "tx", id or null, is_extended or null, hex]; None for anything else."""
    if not isinstance(frame, list | tuple) or len(frame) != 5:
        return None
    at_s, way, can_id, is_extended, text = frame
    at = number({"it": at_s}, "it")
    if at is None or way not in {"rx", "tx"} or not isinstance(text, str):
        return None
    try:
        data = bytes.fromhex(text)
    except ValueError:
        return None
    if can_id is None:
        return Seen(at, way == "rx", data)
    if not isinstance(can_id, int) or not 0 <= can_id < 1 << 29 or len(data) > 8:
        return None
    return Seen(at, way == "rx", CanFrame(can_id, data, is_extended is True))


def joined(pieces: Sequence[Seen] | deque[Seen]) -> list[Seen]:
    """Pieces of a serial line that belong together: the same way, with no pause between."""
    found: list[Seen] = []
    for piece in pieces:
        last = found[-1] if found else None
        if (
            last is not None
            and last.is_received == piece.is_received
            and piece.at_s - last.at_s < _JOIN_S
            and isinstance(last.what, bytes)
            and isinstance(piece.what, bytes)
        ):
            found[-1] = Seen(piece.at_s, last.is_received, last.what + piece.what)
        else:
            found.append(piece)
    return found


def trace_line(seen: Seen, since_s: float, explains: Sequence[Explain], raw: bool) -> Line:
    """When, which way, which id, and what it means; in hex where nobody knows, or with raw."""
    words = next((text for explain in explains if (text := explain(seen.what))), "")
    data = seen.what.data if isinstance(seen.what, CanFrame) else seen.what
    way = ("good", " rx ") if seen.is_received else ("stores", " tx ")
    parts = [("faint", f"{seen.at_s - since_s:8.3f}"), way, ("key", _identifier(seen.what))]
    if raw or not words:
        parts.append(("faint", f"{_hex(data)} "))
    return line(*parts, words)


def _identifier(what: CanFrame | bytes) -> str:
    if isinstance(what, bytes):
        return ""
    return f"{what.can_id:08X} " if what.is_extended else f"{what.can_id:03X} "


def _hex(data: bytes) -> str:
    text = data.hex().upper() or "empty"
    return text if len(text) <= _LONGEST_HEX else f"{text[:_LONGEST_HEX]}..."
