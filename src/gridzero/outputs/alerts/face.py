"""The face of the companion that tells people who are not looking."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import time as TimeOfDay  # noqa: N812 - the module time stands beside it
from datetime import tzinfo
from pathlib import Path
from typing import Protocol

import structlog

from gridzero.config.faces import AlertsConfig
from gridzero.domain.events import Severity
from gridzero.errors import GridzeroError
from gridzero.outputs.alerts.address import Address
from gridzero.outputs.alerts.book import Book
from gridzero.outputs.alerts.channel import Channel, Manners
from gridzero.outputs.alerts.kept import Kept
from gridzero.outputs.alerts.watch import Watch
from gridzero.outputs.alerts.words import Message, Words
from gridzero.outputs.feed import Feed
from gridzero.ports.clock import Clock

log = structlog.get_logger()

LOOK_S = 5.0
SAVE_S = 60.0
FIRST_RETRY_S, LONGEST_RETRY_S = 30.0, 3600.0
FILE = "alerts.json"


class Post(Protocol):
    """Where messages go: outputs.alerts.address.Address, or a test's own."""

    name: str

    def prepare(self) -> None:
        """Raises GridzeroError where nothing can be sent."""
        ...

    async def send(self, title: str, body: str) -> bool:
        """Whether it arrived; never raises."""
        ...


class AlertsFace:
    """Meets outputs.face.Face. Without addresses it does nothing.

    wall_s: UTC, s. zone: of quiet hours and of times in messages; None = the system's.
    """

    name = "alerts"

    def __init__(
        self,
        config: AlertsConfig,
        site: str,
        folder: Path,
        feed: Feed,
        clock: Clock,
        *,
        posts: Sequence[Post] | None = None,
        wall_s: Callable[[], float] = time.time,
        zone: tzinfo | None = None,
    ) -> None:
        self._feed, self._clock, self._wall_s = feed, clock, wall_s
        if posts is None:
            posts = [Address(place, url) for place, url in enumerate(config.urls, start=1)]
        manners = manners_of(config, zone)
        self._channels = [(post, Channel(manners)) for post in posts]
        self._words = Words(site, zone)
        self._book = Book()
        self._kept = Kept(folder / FILE)
        least = Severity[config.least.upper()]
        self._watch = Watch(feed, self._book, clock, wall_s, least)
        self._is_restored = False

    async def run(self) -> None:
        """Tell what is to be told until cancelled. Raises GridzeroError when nobody can be told."""
        self._restore()
        usable = self._usable()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._look(), name="alerts_look")
            for post, channel in usable:
                group.create_task(self._serve(post, channel), name=f"alerts {post.name}")

    def _usable(self) -> list[tuple[Post, Channel]]:
        """A wrong address is told and left out; the last one's error is raised without any."""
        usable: list[tuple[Post, Channel]] = []
        for last, (post, channel) in enumerate(self._channels, start=1):
            try:
                post.prepare()
            except GridzeroError as error:
                if last == len(self._channels) and not usable:
                    raise
                log.warning("alerts.address_wrong", address=post.name, what=str(error))
            else:
                usable.append((post, channel))
        return usable

    async def _look(self) -> None:
        saved_s = self._clock.now_s()
        while True:
            await self._clock.sleep_s(LOOK_S)
            self._watch.look()
            self._forget()
            if self._book.is_changed and self._clock.now_s() - saved_s >= SAVE_S:
                saved_s = self._clock.now_s()
                await self._save()

    async def _serve(self, post: Post, channel: Channel) -> None:
        retry_s = FIRST_RETRY_S
        while True:
            await self._clock.sleep_s(LOOK_S)
            message = self._message(channel)
            if message is None:
                continue
            if await post.send(message.title, message.body):
                await self._delivered(post, channel, message, was_lost=retry_s > FIRST_RETRY_S)
                retry_s = FIRST_RETRY_S
                continue
            if retry_s == FIRST_RETRY_S:
                log.warning("alerts.undelivered", address=post.name, retry_s=retry_s)
            await self._clock.sleep_s(retry_s)
            retry_s = min(2 * retry_s, LONGEST_RETRY_S)

    def _message(self, channel: Channel) -> Message | None:
        if self._watch.is_in_maintenance:
            return None
        news = channel.due(self._book, self._wall_s())
        held_s = channel.held_s
        return self._words.message(news, self._state(), held_s) if news else None

    def _state(self) -> dict[str, object] | None:
        """The last word, as long as it tells what is now."""
        state = self._feed.latest("state")
        return dict(state) if state is not None and self._feed.age_s("state") < LOOK_S else None

    async def _delivered(
        self, post: Post, channel: Channel, message: Message, *, was_lost: bool
    ) -> None:
        channel.has_told(message.news, self._wall_s())
        if was_lost:
            log.info("alerts.delivered_again", address=post.name)
        log.info("alerts.sent", address=post.name, news=len(message.news))
        await self._save()

    def _forget(self) -> None:
        waiting = frozenset[str]().union(*(channel.waiting for _, channel in self._channels))
        self._book.forget(self._wall_s(), waiting)
        for _, channel in self._channels:
            channel.forget(self._book)

    async def _save(self) -> None:
        self._book.is_changed = False
        channels = {post.name: channel.to_dict() for post, channel in self._channels}
        await self._kept.save(
            {
                "cases": self._book.to_dict(),
                "channels": channels,
                "maintenance": self._watch.is_in_maintenance,
            }
        )

    def _restore(self) -> None:
        """Once: when the face is tried again, it knows better than its file."""
        if self._is_restored:
            return
        self._is_restored = True
        values = self._kept.load()
        if not values:
            return
        try:
            self._book.restore(values["cases"])
            for post, channel in self._channels:
                if post.name in values["channels"]:
                    channel.restore(values["channels"][post.name])
            self._watch.is_in_maintenance = values["maintenance"] is True
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            self._kept.tell_damaged(type(error).__name__)


def manners_of(config: AlertsConfig, zone: tzinfo | None = None) -> Manners:
    """When messages may be sent."""
    quiet = (config.quiet_from, config.quiet_to)
    return Manners(
        group_s=config.group_s,
        remind_s=3600.0 * config.remind_h if config.remind_h > 0 else float("inf"),
        at_most_per_hour=config.at_most_per_hour,
        quiet=_times(quiet) if None not in quiet else None,
        zone=zone,
    )


def _times(quiet: tuple[str | None, str | None]) -> tuple[TimeOfDay, TimeOfDay]:
    begin, end = (TimeOfDay.fromisoformat(text or "00:00") for text in quiet)
    return begin, end
