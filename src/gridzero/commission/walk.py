"""Going through the list with a person."""

from __future__ import annotations

from collections.abc import Iterable

from gridzero.commission.bench import Bench
from gridzero.commission.house import NotThere, Refused
from gridzero.commission.kept import KeptResults
from gridzero.commission.result import Kept, Outcome, Result, bad
from gridzero.commission.steps import STEPS, Step

_SIGNS = {Outcome.GOOD: "good", Outcome.BAD: "NOT SO", Outcome.SKIPPED: "not done"}


async def walk(bench: Bench, kept: KeptResults, steps: Iterable[Step]) -> None:
    """One line after the other; stops at the first that is not so. Raises Left, NotThere."""
    for step in steps:
        result = await one(bench, step, kept.results.get(step.key))
        kept.note(step.key, result)
        bench.person.say(f"   {_SIGNS[result.outcome]}: {result.text}")
        if result.mend:
            bench.person.say(f"   -> {result.mend}")
            bench.person.say("   Mend this first; the list goes on from here next time.")
            return


async def one(bench: Bench, step: Step, before: Kept | None) -> Result:
    """Read a line out, and look. A refusal is a result, a gridzero that is gone is none."""
    place = STEPS.index(step) + 1
    bench.person.say("")
    bench.person.say(f"{place}. {step.title}  ({step.key})")
    if before is not None:
        bench.person.say(f"   on {before.at}: {before.result.text}")
    bench.person.say(f"   {step.do}")
    if await bench.person.answer("   Enter = do it, skip = not now, quit = another day") == "skip":
        return Result(Outcome.SKIPPED, "skipped")
    try:
        return await step.look(bench)
    except Refused as error:
        return bad(error.what, "Change that, then do this line again")
    except NotThere:
        bench.person.say("   gridzero does not speak any more. What it was told ends by itself.")
        raise


def open_steps(kept: KeptResults) -> list[Step]:
    """What is still to be done: all that was not good."""
    done = {key for key, one in kept.results.items() if one.result.outcome is Outcome.GOOD}
    return [step for step in STEPS if step.key not in done]
