"""``gridzero demo``: the main job against a simulated house."""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import signal
import sys
import sysconfig
import time
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console

from gridzero import log as logging_setup
from gridzero.config.loader import Loaded, load
from gridzero.demo.live import LiveSite
from gridzero.demo.people import doors, people_beside
from gridzero.demo.scene import Scene
from gridzero.demo.simulated import SimulatedSite
from gridzero.demo.view import view_of
from gridzero.errors import ConfigError
from gridzero.ports.plugin import DriverPlugin
from gridzero.runtime.supervisor import Ending, Service
from gridzero.sim.household import Household
from gridzero.sim.live_view import LiveView
from gridzero.sim.loop import PacedLoop, SimulatedLoop
from gridzero.sim.sources import PowerSource, Sun, read_power
from gridzero.sim.summary import RunSummary, summarise

_CHECKOUT = Path(__file__).parents[3]
_INSTALLED = Path(sysconfig.get_path("data")) / "share" / "gridzero"
_PLACES = tuple(place / "configs" / "demo.yaml" for place in (_CHECKOUT, _INSTALLED))


def demo_config() -> Path:
    """The configuration that comes with gridzero. Raises ConfigError when it is not there."""
    for place in _PLACES:
        if place.exists():
            return place
    raise ConfigError(
        "demo.yaml did not come with this installation",
        where="gridzero demo",
        remedy="Name one: gridzero demo --config FILE",
    )


def run(args: argparse.Namespace) -> int:
    """Run the demo; returns the exit code of the site."""
    from gridzero.plugins import load_plugins  # noqa: PLC0415 - takes a moment

    plugins = load_plugins()
    file = args.config or demo_config()
    loaded = load(file, plugins)
    scene = _scene(args)
    seconds = args.hours * 3600 if args.hours is not None else args.duration
    simulated = args.fast or args.speed is not None
    if args.fast and seconds is None:
        seconds = 24 * 3600.0
    _start_log(loaded)
    if simulated:
        loop = PacedLoop(args.speed) if args.speed else SimulatedLoop()
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            gc.freeze()  # what is there now stays; collecting it again and again costs a tenth
            summary, ending = runner.run(_simulate(loaded, plugins, scene, seconds, args.speed))
    else:
        summary, ending = asyncio.run(
            _live(loaded, plugins, scene, seconds, None if args.alone else file)
        )
    print(json.dumps(summary.to_dict(), indent=1) if args.json else summary.table())
    print(f"ended: {ending.why}", file=sys.stderr)
    return ending.code


async def _simulate(
    loaded: Loaded,
    plugins: Mapping[str, DriverPlugin],
    scene: Scene,
    seconds: float | None,
    speed: float | None,
) -> tuple[RunSummary, Ending]:
    site = SimulatedSite(loaded, plugins, scene)
    extra: tuple[Service, ...] = ()
    if speed is not None:
        view = LiveView(
            view_of(site.app, site.house, speed), every_s=0.5 * speed, column_s=5 * speed
        )
        extra = (Service("view", view.run),)
    began_s = time.monotonic()
    ending = await site.run(seconds, extra)
    waited_s = time.monotonic() - began_s
    return _summary(site, waited_s), ending


async def _live(
    loaded: Loaded,
    plugins: Mapping[str, DriverPlugin],
    scene: Scene,
    seconds: float | None,
    beside: Path | None,
) -> tuple[RunSummary, Ending]:
    """beside: the configuration of the processes that people look at, None = without them."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    if seconds is not None:
        loop.call_later(seconds, stop.set)
    site = LiveSite(loaded, plugins, scene)
    told = doors(loaded.config) if beside else []
    for line in (f"MQTT: mosquitto_sub -p {site.port} -t 'gridzero/#' -v", *told):
        print(line, file=sys.stderr)
    state = view_of(site.app, site.house, told="   ".join((*told, "Ctrl-C ends")))
    view = LiveView(state, console=Console())
    people = list(people_beside(loaded.config, beside, site)) if beside else []
    ending = await site.run(stop, (Service("view", view.run), *people))
    return _summary(site, None), ending


def _summary(site: SimulatedSite | LiveSite, waited_s: float | None) -> RunSummary:
    return summarise(
        site.house,
        waited_s=waited_s,
        limits=site.watcher.limits_s,
        faults=site.watcher.faults,
    )


def _scene(args: argparse.Namespace) -> Scene:
    if not 0.0 <= args.soc <= 1.0:
        raise ConfigError(
            f"{args.soc:g} is not from 0 to 1", where="--soc", remedy="For example 0.5"
        )
    load: PowerSource = Household(args.seed)
    if args.load:
        load = read_power(args.load, day=args.day, repeat=True)
    sun: PowerSource = Sun(peak_w=args.sun_peak, seed=args.seed)
    if args.sun:
        sun = read_power(args.sun, scale=1.0, repeat=True)
    return Scene(load=load, sun=sun, start_h=args.start, soc=args.soc, seed=args.seed)


def _start_log(loaded: Loaded) -> None:
    """To a file: the screen belongs to the view."""
    folder = Path(loaded.config.site.state_dir)
    folder.mkdir(parents=True, exist_ok=True)
    file = (folder / "demo.log").open("w", buffering=1)
    logging_setup.configure(loaded.config.site.log.level, loaded.config.site.log.format, file)
    print(f"log: {folder / 'demo.log'}", file=sys.stderr)
