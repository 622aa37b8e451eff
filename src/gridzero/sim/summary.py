"""What a run came to: figures for the terminal and for JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from gridzero.sim.house import House


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """One simulated run. Powers in W, energies in Wh, times in s; None = not known.

    speed: simulated seconds per second of waiting. limits: seconds per reason that cut the
    battery's power. faults: what was reported, in order, each once.
    """

    seconds: float
    speed: float | None
    mean_abs_grid_w: float | None
    mean_avoidable_w: float | None
    rms_grid_w: float | None
    load_wh: float
    pv_wh: float
    import_wh: float
    export_wh: float
    avoidable_import_wh: float
    avoidable_export_wh: float
    charged_wh: float
    discharged_wh: float
    soc: float
    direction_changes: int
    starts: Mapping[str, int] = field(default_factory=dict)
    limits: Mapping[str, float] = field(default_factory=dict)
    faults: tuple[str, ...] = ()

    @property
    def hours(self) -> float:
        """Length of the run."""
        return self.seconds / 3600.0

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for json.dumps."""
        plain = {row.name: getattr(self, row.name) for row in fields(self)}
        plain |= {"starts": dict(self.starts), "limits": dict(self.limits)}
        return plain | {"faults": list(self.faults)}

    def table(self) -> str:
        """A table of plain text, one figure a line."""
        rows = list(self._rows())
        width = max(len(label) for label, _ in rows)
        return "\n".join(f"{label:<{width}}  {value}".rstrip() for label, value in rows)

    def _rows(self) -> Iterator[tuple[str, str]]:
        yield "duration", duration(self.seconds)
        yield "speed", "-" if self.speed is None else f"{self.speed:,.0f} x real time"
        yield "mean |grid|", _watts(self.mean_abs_grid_w)
        yield "mean |avoidable|", _watts(self.mean_avoidable_w)
        yield "RMS grid", _watts(self.rms_grid_w)
        yield "bought, avoidable", self._energy(self.import_wh, self.avoidable_import_wh)
        yield "sold, avoidable", self._energy(self.export_wh, self.avoidable_export_wh)
        yield "house, sun", f"{self.load_wh:,.0f} Wh, {self.pv_wh:,.0f} Wh"
        yield "charged, discharged", f"{self.charged_wh:,.0f} Wh, {self.discharged_wh:,.0f} Wh"
        yield "state of charge", f"{self.soc * 100:.1f} %"
        yield "direction changes", str(self.direction_changes)
        for name, count in self.starts.items():
            yield f"starts of {name}", f"{count}{self._per_hour(count)}"
        for reason, seconds in sorted(self.limits.items(), key=lambda item: -item[1]):
            yield f"limit {reason}", duration(seconds)
        yield "faults", ", ".join(self.faults) or "none"

    def _energy(self, all_wh: float, avoidable_wh: float) -> str:
        per_hour = f", {avoidable_wh / self.hours:,.1f} Wh/h" if self.seconds else ""
        return f"{all_wh:,.1f} Wh, {avoidable_wh:,.1f} Wh{per_hour}"

    def _per_hour(self, count: int) -> str:
        return f", {count / self.hours:.1f} per h" if self.seconds else ""


def summarise(
    house: House,
    *,
    waited_s: float | None = None,
    limits: Mapping[str, float] | None = None,
    faults: Iterable[str] = (),
) -> RunSummary:
    """Close the books of a house. waited_s: how long the run took in real time."""
    books = house.books
    return RunSummary(
        seconds=books.seconds,
        speed=books.seconds / waited_s if waited_s else None,
        mean_abs_grid_w=books.mean_abs_grid_w,
        mean_avoidable_w=books.mean_avoidable_w,
        rms_grid_w=books.rms_grid_w,
        load_wh=books.load_wh,
        pv_wh=books.pv_wh,
        import_wh=books.import_wh,
        export_wh=books.export_wh,
        avoidable_import_wh=books.avoidable_import_wh,
        avoidable_export_wh=books.avoidable_export_wh,
        charged_wh=books.charged_wh,
        discharged_wh=books.discharged_wh,
        soc=house.pack.soc,
        direction_changes=books.direction_changes,
        starts=dict(books.starts),
        limits=dict(limits or {}),
        faults=tuple(dict.fromkeys(faults)),
    )


def duration(seconds: float) -> str:
    """Time for people: ``9.5 s``, ``3 min 20 s``, ``5 h 00 min``, ``2 d 3 h``."""
    if seconds < 60.0:
        return f"{seconds:.1f} s"
    minutes, rest_s = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if not hours:
        return f"{minutes} min {rest_s:02d} s"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if days else f"{hours} h {minutes:02d} min"


def _watts(power_w: float | None) -> str:
    return "-" if power_w is None else f"{power_w:,.1f} W"
