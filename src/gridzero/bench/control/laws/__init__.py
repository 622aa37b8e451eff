"""All contestants, ours first. A new law is a file beside this one and a row here."""

from __future__ import annotations

from functools import partial

from gridzero.bench.control.laws.astrameter import AstraMeterLike
from gridzero.bench.control.laws.clairvoyant import Clairvoyant
from gridzero.bench.control.laws.desperado import Desperado
from gridzero.bench.control.laws.dpl import Dpl
from gridzero.bench.control.laws.kev300 import PullRequest122, PullRequest140
from gridzero.bench.control.laws.law import LawRow
from gridzero.bench.control.laws.openems import OpenEms
from gridzero.bench.control.laws.ours import Ours
from gridzero.bench.control.laws.perfect import PerfectModel
from gridzero.bench.control.laws.reference_esp32 import ReferenceEsp32
from gridzero.bench.control.laws.simple import Nothing, Simc
from gridzero.bench.control.laws.syssi import Syssi
from gridzero.bench.control.laws.victron_dbus import VictronDbus

_SYSSI = "syssi/esphome-soyosource-gtn-virtual-meter, soyosource_virtual_meter.cpp"
_OPENEMS = "OpenEMS/openems, controller.ess.balancing"
_DESPERADO = "desperado0044/Soyosource-Controller, src/main.cpp"
_VICTRON = "hgbrd23/victron-dbus-soyosource"
_SIMC = "Skogestad's SIMC rule for a delay: gain 1 / (2 theta)"

LAWS: dict[str, LawRow] = {
    row.name: row
    for row in (
        LawRow("gridzero", "ours", "gridzero.control.controller", Ours, ours=True),
        LawRow(
            "esp32",
            "the reference controller: 0.85 per message, holds",
            "anikrooz/housebatt, housebatt.ino",
            ReferenceEsp32,
            public=True,
        ),
        LawRow(
            "syssi-3s",
            "last sent + reading, every 3 s",
            _SYSSI,
            partial(Syssi, period_s=3.0),
            public=True,
        ),
        LawRow(
            "syssi-0.5s", "the same every 0.5 s", _SYSSI, partial(Syssi, period_s=0.5), public=True
        ),
        LawRow(
            "pr122", "one unseen step taken off", f"{_SYSSI}, PR #122", PullRequest122, public=True
        ),
        LawRow(
            "pr140",
            "sum of unseen steps taken off",
            f"{_SYSSI}, PR #140",
            PullRequest140,
            public=True,
        ),
        LawRow(
            "dpl",
            "waits for each step to be seen",
            "hoylabs/OpenDTU-OnBattery, PowerLimiter.cpp and huawei/Provider.cpp",
            Dpl,
            public=True,
            telemetry=True,
        ),
        LawRow(
            "openems-pid",
            "1 s, PID around the output",
            _OPENEMS,
            partial(OpenEms, pid=True),
            public=True,
            telemetry=True,
        ),
        LawRow(
            "openems",
            "1 s, measured output + grid",
            _OPENEMS,
            partial(OpenEms, pid=False),
            public=True,
            telemetry=True,
        ),
        LawRow(
            "desperado-50",
            "half a step per 1.1 s",
            _DESPERADO,
            partial(Desperado, gain=0.5),
            public=True,
        ),
        LawRow(
            "desperado-100",
            "full step per 1.1 s",
            _DESPERADO,
            partial(Desperado, gain=1.0),
            public=True,
        ),
        LawRow(
            "victron-0.3",
            "0.3 of a step per second",
            _VICTRON,
            partial(VictronDbus, damping=0.3),
            public=True,
        ),
        LawRow(
            "victron-0.7",
            "0.7 of a step per second",
            _VICTRON,
            partial(VictronDbus, damping=0.7),
            public=True,
        ),
        LawRow(
            "astrameter-like",
            "predictor and paced steps",
            "tomquist/AstraMeter, ct002/balancer.py, reduced",
            AstraMeterLike,
            public=True,
            telemetry=True,
        ),
        LawRow("simc-1.5", "integrator for 1.5 s of delay", _SIMC, partial(Simc, theta_s=1.5)),
        LawRow("simc-2.2", "integrator for 2.2 s of delay", _SIMC, partial(Simc, theta_s=2.2)),
        LawRow("nothing", "the battery rests", "-", Nothing),
        LawRow(
            "perfect-model",
            "knows the converters, sees the load",
            "what a causal law could do",
            PerfectModel,
            knows=True,
        ),
        LawRow(
            "perfect-no-idle",
            "the same, but the rectifier stops with its surplus",
            "what a causal law could do",
            partial(PerfectModel, idles=False),
            knows=True,
        ),
        LawRow(
            "clairvoyant", "knows the future", "what could be done at all", Clairvoyant, knows=True
        ),
    )
}
