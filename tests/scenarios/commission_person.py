"""A person with tools at a simulated house, who does what the list says."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from scenario import Story, house, with_few_modules

from gridzero.commission.bench import Bench
from gridzero.commission.house import House
from gridzero.commission.person import Left
from gridzero.commission.result import Result
from gridzero.commission.steps import STEP_OF
from gridzero.sim.sources import Constant

Reply = str | Callable[[], object]
CONTACTORS = Path(__file__).parents[2] / "configs" / "contactor.yaml"


@dataclass
class Tools:
    """Answers by the first pattern that a question holds; what a reply does happens right then.

    answers: come before the usual ones.
    """

    story: Story
    answers: Mapping[str, Reply] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)

    def say(self, line: str) -> None:
        self.said.append(line)

    async def answer(self, question: str) -> str:
        self.said.append(question)
        replies = [*self.answers.items(), *self._usual(question).items()]
        reply = next(what for pattern, what in replies if re.search(pattern, question))
        found = reply if isinstance(reply, str) else reply()
        if found == "quit":
            raise Left
        return found if isinstance(found, str) else ""

    def _usual(self, question: str) -> dict[str, Reply]:
        return {
            "Type these words": question.rpartition("skip: ")[2].removesuffix("\n>"),
            "Volts at cell": lambda: self._volts(question.partition("cell ")[2].split("?")[0]),
            "How many modules": str(len(self.story.site.house.pack.modules)),
            "clamp meter": lambda: f"{abs(self.story.site.house.battery_a):.1f}",
            "kettle on": lambda: self.load(1300.0),
            "Pull the CAN plug|Pull its CAN plug": lambda: self.plug("charger", plugged=False),
            "Pull its RS485": lambda: self.plug("inverter", plugged=False),
            "Put the plug back": self._plug_in,
            "yes/no/skip": "yes",
            "Enter": "",
        }

    def load(self, power_w: float) -> None:
        self.story.site.house.load = Constant(power_w)

    def plug(self, name: str, *, plugged: bool) -> None:
        links = self.story.site.links
        if name == "inverter":
            links.wire(name).plugged = plugged
        else:
            links.can_bus(name).plugged = plugged

    def _plug_in(self) -> None:
        for name in ("charger", "inverter"):
            self.plug(name, plugged=True)

    def _volts(self, cell: str) -> str:
        module, _, place = cell.rpartition(".")
        return f"{self.story.site.house.cell_v(module)[int(place) - 1]:.3f}".replace(".", ",")


@dataclass
class Day:
    """A commissioning of one simulated house."""

    story: Story
    bench: Bench
    person: Tools

    async def line(self, key: str, answers: Mapping[str, Reply] | None = None) -> Result:
        """Do one line of the list."""
        self.person.answers = answers or {}
        return await STEP_OF[key].look(self.bench)


@asynccontextmanager
async def commissioning(
    config: Path | None = None, *, settle_s: float = 25.0, zero_a: float | None = None
) -> AsyncIterator[Day]:
    """A house with three modules at rest, and a person in front of it."""
    async with house(load_w=300.0, config=config) as story:
        link = story.site.links.broker.attach()
        seen = House(link, "gridzero")
        person = Tools(story)
        await asyncio.sleep(settle_s)
        yield Day(story, Bench(seen, person, zero_a), person)


def contactors(folder: Path) -> Path:
    """The house with contactors, with three modules."""
    file = folder / "contactor.yaml"
    file.write_text(with_few_modules(CONTACTORS.read_text()))
    return file
