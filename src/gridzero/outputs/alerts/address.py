"""One address of Apprise, called in a thread of its own that nobody has to wait for.

An address holds passwords and tokens. Nothing of it leaves this module but its place in the
configuration and its kind: no error, no log and no file shows more.
"""

from __future__ import annotations

import asyncio
import logging
import re
import threading
from collections.abc import Callable
from contextlib import suppress

from pydantic import SecretStr

from gridzero.errors import ConfigError, LinkError

SEND_LIMIT_S = 30.0
_KIND = re.compile(r"[a-z][a-z0-9]{0,20}(?=://)")

Notify = Callable[[str, str], bool]
"""Send a title and a text; whether it arrived. It may take as long as it likes."""


class Address:
    """place: from 1, in the order of the configuration."""

    def __init__(self, place: int, url: SecretStr) -> None:
        kind = _KIND.match(url.get_secret_value().strip().lower())
        self.name = f"{place} ({kind.group() if kind else 'unknown'})"
        self._url = url
        self._notify: Notify | None = None
        self._thread: threading.Thread | None = None

    def prepare(self) -> None:
        """Find out whether Apprise knows it. Raises LinkError without Apprise, else ConfigError."""
        if self._notify is None:
            self._notify = _notifier(self._url, self.name)

    async def send(self, title: str, body: str) -> bool:
        """Whether it arrived, within SEND_LIMIT_S; never raises."""
        if self._notify is None or (self._thread is not None and self._thread.is_alive()):
            return False  # the last attempt still hangs: one thread an address, not more
        loop = asyncio.get_running_loop()
        done: asyncio.Future[bool] = loop.create_future()
        self._thread = threading.Thread(
            target=_send, args=(self._notify, title, body, loop, done), daemon=True
        )
        self._thread.start()
        try:
            async with asyncio.timeout(SEND_LIMIT_S):
                return await done
        except TimeoutError:
            return False


def _send(
    notify: Notify,
    title: str,
    body: str,
    loop: asyncio.AbstractEventLoop,
    done: asyncio.Future[bool],
) -> None:
    try:
        arrived = notify(title, body)
    except Exception:  # noqa: BLE001 - any of a hundred services, and the text may hold the address
        arrived = False
    with suppress(RuntimeError):  # the loop has ended meanwhile
        loop.call_soon_threadsafe(_settle, done, arrived)


def _settle(done: asyncio.Future[bool], arrived: bool) -> None:
    if not done.done():
        done.set_result(arrived)


def _notifier(url: SecretStr, name: str) -> Notify:
    try:
        import apprise  # noqa: PLC0415 - an extra, and slow to import
    except ImportError:
        raise LinkError(
            "Apprise is not installed",
            where="alerts",
            remedy="Install it: pip install 'gridzero[alerts]'",
        ) from None
    _be_silent()
    asset = apprise.AppriseAsset(app_id="gridzero", async_mode=False, secure_logging=True)
    service = apprise.Apprise(asset=asset)
    if not service.add(url.get_secret_value()):
        raise ConfigError(
            "Apprise does not know this address",
            where=f"alerts.urls, number {name}",
            remedy="Compare it with the page of the service in Apprise's documentation",
        )

    def notify(title: str, body: str) -> bool:
        return bool(service.notify(body=body, title=title, body_format=apprise.NotifyFormat.TEXT))

    return notify


def _be_silent() -> None:
    """Apprise logs addresses, and what a service answered."""
    for logger in ("apprise", "urllib3", "requests"):
        logging.getLogger(logger).setLevel(logging.CRITICAL + 1)
