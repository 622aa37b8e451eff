"""How long a connection may say nothing, and how long it may take to read an answer.

uvicorn waits for ever for the first request of a connection, for the rest of one, and for a browser
that does not read. As it serves so many connections at most, some hundred silent ones would keep
everybody out.
"""

from __future__ import annotations

import asyncio
from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

ASK_LIMIT_S: Final = 10.0
READ_LIMIT_S: Final = 60.0
_LOOK_S: Final = 2.0


class ImpatientHttp(HttpToolsProtocol):
    """Hangs up on who does not ask, or does not read. Sockets of pages are not its business."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as there
        """See asyncio.Protocol."""
        super().connection_made(transport)
        self._stage: object = None
        self._since_s = self.loop.time()
        self._look()

    def _look(self) -> None:
        if self not in self.connections:
            return  # it has gone, or has become the socket of a page
        now_s = self.loop.time()
        stage = self.cycle, self._is_answering, self.transport.get_write_buffer_size()
        if stage != self._stage:
            self._stage, self._since_s = stage, now_s
        if now_s - self._since_s > (READ_LIMIT_S if self._is_answering else ASK_LIMIT_S):
            self.transport.abort()
        else:
            self.loop.call_later(_LOOK_S, self._look)

    @property
    def _is_answering(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle  # None until the first request
        is_made = cycle is None or cycle.response_complete
        return not is_made or self.transport.get_write_buffer_size() > 0
