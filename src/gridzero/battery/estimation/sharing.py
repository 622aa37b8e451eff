"""How parallel modules share the current of the battery.

All see the same voltage V, so module m carries (emf_m - V) / ohm_m, and the currents add up to
that of the battery: the conductance's part of it, plus what flows between modules that are not
equally full. The latter rests on estimates, so it counts only as far as it stands out from what
they may be wrong; the filter's offset learns the rest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

_CELL_SIGMA_V = 0.005
_MOST_C_RATE = 0.5


class Share(NamedTuple):
    """Current of a module = part * current of the battery + extra_a."""

    part: float
    extra_a: float

    def of(self, pack_a: float) -> float:
        """The module's current, A."""
        return self.part * pack_a + self.extra_a


class Source(NamedTuple):
    """A module as a voltage behind a resistance. emf_v None = its state is not known yet.

    emf_var: of emf_v, V^2. ohm: of all its cells in series. capacity_ah: of one of them.
    """

    cells: int
    ohm: float
    capacity_ah: float
    emf_v: float | None
    emf_var: float


def share(sources: Sequence[Source]) -> list[Share]:
    """A share for each module; the extras add up to nearly 0."""
    siemens = [1.0 / source.ohm for source in sources]
    all_siemens = sum(siemens)
    extras = _extras(sources, siemens)
    return [Share(s / all_siemens, extra) for s, extra in zip(siemens, extras, strict=True)]


def _extras(sources: Sequence[Source], siemens: Sequence[float]) -> list[float]:
    """Currents between modules; only among those of the commonest number of cells."""
    usual = Counter(source.cells for source in sources).most_common(1)[0][0]
    known = [
        (s, source.emf_v)
        for s, source in zip(siemens, sources, strict=True)
        if source.emf_v is not None and source.cells == usual
    ]
    if len(known) < 2:
        return [0.0] * len(sources)
    common_v = sum(s * emf_v for s, emf_v in known) / sum(s for s, _ in known)
    return [
        _extra(source, s, common_v) if source.cells == usual else 0.0
        for s, source in zip(siemens, sources, strict=True)
    ]


def _extra(source: Source, siemens: float, common_v: float) -> float:
    if source.emf_v is None:
        return 0.0
    above_v = source.emf_v - common_v
    doubt_v2 = source.emf_var + source.cells * _CELL_SIGMA_V**2
    extra_a = siemens * above_v * above_v**2 / (above_v**2 + doubt_v2)
    most_a = _MOST_C_RATE * source.capacity_ah
    return max(-most_a, min(most_a, extra_a))
