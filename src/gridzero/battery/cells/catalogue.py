"""The kinds of cells that gridzero knows.

No curve of the cells in VW GTE modules is public. Published curves of other NMC/graphite cells
differ from each other by 30 to 60 mV in the middle, so an estimate that leads with voltage can be
3 to 5 % off until a curve of the owner's own modules replaces the table; ``ocv_sigma_v`` says so.
"""

from __future__ import annotations

from dataclasses import replace
from math import exp

from gridzero.battery.cells.model import CellModel, Points


def _by_temperature(ohm_25: float, per_k: float) -> Points:
    """Resistance from -20 to 45 degC that falls by e in 1 / per_k degrees."""
    temps_c = (-20.0, -10.0, 0.0, 10.0, 20.0, 25.0, 35.0, 45.0)
    return tuple((temp_c, ohm_25 * exp(per_k * (25.0 - temp_c))) for temp_c in temps_c)


# Mean of two published curves at 25 degC: LG INR18650HG2, mean of C/20 charge and discharge
# (Kollmeyer et al., 10.17632/cp3473x7xv.3), and LG INR21700 M50, relaxed (PyBOP examples,
# LG_M50_ECM). A retired EV pouch cell of 21 Ah after 10 min rest (PulseBat no. 6, Tao et al.,
# 10.1038/s41467-024-54454-0) is 17 to 71 mV lower from 45 to 85 % and higher below 35 %.
_NMC_OCV: Points = (
    *((0.00, 2.876), (0.02, 3.061), (0.05, 3.217), (0.08, 3.296), (0.10, 3.341), (0.15, 3.423)),
    *((0.20, 3.483), (0.25, 3.532), (0.30, 3.582), (0.35, 3.617), (0.40, 3.646), (0.45, 3.677)),
    *((0.50, 3.717), (0.55, 3.766), (0.60, 3.825), (0.65, 3.878), (0.70, 3.920), (0.75, 3.964)),
    *((0.80, 4.015), (0.85, 4.062), (0.90, 4.088), (0.95, 4.111), (0.98, 4.145), (1.00, 4.182)),
)

# From PulseBat no. 6, medians over both directions at 25 degC: 2.16, 1.9, 1.7 mOhm after 30 ms at
# 5, 35, 75 %, relative to half charge.
_NMC_OHM_BY_SOC: Points = (
    (0.0, 1.4),
    (0.05, 1.2),
    (0.15, 1.13),
    (0.35, 1.04),
    (0.5, 1.0),
    (1, 0.9),
)

# Growth of resistance with cold as in the Panasonic drive cycles below; the same for all.
_COLD_PER_K = 0.025

VW_GTE = CellModel(
    name="vw_gte",
    source="curve: published NMC cells, not these; resistance: PulseBat retired EV pouch 21 Ah",
    capacity_ah=25.0,  # vw-gte protocol notes, section 1
    ocv=_NMC_OCV,
    # 1.83 mOhm after 50 ms and 2.6 mOhm after 5 s for 21 Ah, times 21/25; the slow part from
    # there to a minute is an assumption
    ohmic=_by_temperature(0.00155, _COLD_PER_K),
    slow=_by_temperature(0.0014, _COLD_PER_K),
    slow_s=60.0,
    ocv_sigma_v=0.030,
    ohm_by_soc=_NMC_OHM_BY_SOC,
)
"""One cell of a VW GTE 12S module, about 25 Ah NMC."""

NMC = replace(
    VW_GTE,
    name="nmc",
    source="LG HG2 and LG M50, mean; resistance per Ah as PulseBat retired EV pouch 21 Ah",
    ocv_sigma_v=0.030,
)
"""Any NMC/graphite cell; scale it with ``sized``."""

LFP = CellModel(
    name="lfp",
    source="the usual shape of LFP/graphite at rest, drawn by hand; no measurement",
    capacity_ah=25.0,
    ocv=(
        *((0.00, 2.600), (0.02, 2.900), (0.05, 3.100), (0.10, 3.200), (0.15, 3.225), (0.20, 3.245)),
        *((0.30, 3.275), (0.40, 3.288), (0.50, 3.293), (0.60, 3.300), (0.65, 3.315), (0.70, 3.328)),
        *((0.80, 3.332), (0.90, 3.336), (0.95, 3.345), (0.98, 3.380), (1.00, 3.500)),
    ),
    ohmic=_by_temperature(0.0020, 0.030),
    slow=_by_temperature(0.0025, 0.030),
    slow_s=120.0,
    ocv_sigma_v=0.010,
    ohm_by_soc=((0.0, 1.5), (0.1, 1.1), (0.2, 1.0), (1.0, 1.0)),
)
"""Any LFP/graphite cell: between 20 and 95 % its voltage says nearly nothing."""

NCA = CellModel(
    name="nca",
    source="Panasonic NCR18650PF, Kollmeyer, 10.17632/wykht8y7tg.1: C/20 and two drive cycles",
    capacity_ah=2.9973,
    # C/20 discharge at 25 degC less 7 mV, which the two files below show
    ocv=(
        *((0.000, 2.492), (0.010, 2.933), (0.020, 3.069), (0.040, 3.216), (0.060, 3.271)),
        *((0.080, 3.300), (0.100, 3.324), (0.130, 3.367), (0.160, 3.409), (0.190, 3.443)),
        *((0.220, 3.475), (0.250, 3.502), (0.280, 3.525), (0.310, 3.544), (0.340, 3.561)),
        *((0.370, 3.578), (0.400, 3.595), (0.430, 3.612), (0.460, 3.631), (0.490, 3.651)),
        *((0.520, 3.675), (0.550, 3.705), (0.580, 3.742), (0.610, 3.773), (0.640, 3.801)),
        *((0.670, 3.828), (0.700, 3.853), (0.730, 3.878), (0.760, 3.902), (0.790, 3.929)),
        *((0.820, 3.960), (0.850, 3.994), (0.880, 4.027), (0.910, 4.056), (0.940, 4.079)),
        *((0.970, 4.108), (0.985, 4.121), (1.000, 4.177)),
    ),
    # least squares over the files "25degC Cycle1" and "10degC trise Cycle1" (for that one with a
    # free capacity: 2.80 Ah), between those with 150 and 250 s; 0 degC is extrapolated
    ohmic=_by_temperature(0.0310, _COLD_PER_K),
    slow=_by_temperature(0.037, 0.046),
    slow_s=200.0,
    ocv_sigma_v=0.010,
    ohm_by_soc=(
        *((0.0, 3.0), (0.1, 2.0), (0.2, 1.3), (0.3, 1.05), (0.45, 1.0), (0.7, 1.0)),
        *((0.8, 1.06), (0.9, 1.2), (1.0, 1.4)),
    ),
)
"""The cell of the published drive cycles, for the bench."""

CELLS: dict[str, CellModel] = {cell.name: cell for cell in (VW_GTE, NMC, LFP, NCA)}

OF_PROFILE: dict[str, str] = {"vw_gte_12s": "vw_gte", "nmc": "nmc", "lfp": "lfp"}
"""The kind of cell that each battery profile means."""


def sized(cell: CellModel, capacity_ah: float) -> CellModel:
    """The same kind of cell with another capacity: resistance goes with 1 / capacity.

    Raises ValueError for capacities that are not above 0.
    """
    if not capacity_ah > 0.0:
        raise ValueError(f"capacity_ah must be above 0, it is {capacity_ah:g}")
    factor = cell.capacity_ah / capacity_ah
    return replace(
        cell,
        capacity_ah=capacity_ah,
        ohmic=tuple((temp_c, ohm * factor) for temp_c, ohm in cell.ohmic),
        slow=tuple((temp_c, ohm * factor) for temp_c, ohm in cell.slow),
    )
