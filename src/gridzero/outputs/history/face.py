"""The recorder as the companion starts it."""

from __future__ import annotations

import time

from gridzero.config.models import Config
from gridzero.links.worker import Worker
from gridzero.outputs.feed import Feed
from gridzero.outputs.history.ear import Ear
from gridzero.outputs.history.recorder import NAME, Recorder
from gridzero.ports.clock import Clock


def recorder_of(config: Config, feed: Feed, clock: Clock) -> Recorder:
    """Hears from now on; writes once it runs, in a thread of its own."""
    history = config.history
    file = history.file(config.site.state_dir)
    return Recorder(feed, clock, file, history, Ear(feed, clock, time.time), Worker(NAME).call)
