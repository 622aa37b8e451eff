"""Grid meters that are asked over HTTP, by name. The numbers are the rows of docs/meters.md.

Sources: the public documentation of the makers and projects, as in the README.
"""

from __future__ import annotations

from gridzero.ports.plugin import Profile

_STATUS_10 = "/cm?cmnd=Status%2010"
_SML_NAMES = (
    *("SML.Power_curr", "SML.curr_w", "SML.power", "SML.P"),
    *("MT175.P", "E320.power", "DWS7410.power"),
)
_SML = " | ".join(f"StatusSNS.{name}" for name in _SML_NAMES)
_SML_NAMES_VARY = (
    "group and names are those of your script: set path, import_kwh_path and export_kwh_path (in "
    "kWh) when they are others"
)
_POWER = '"1-0:16.7.0*255"'
_POWER_L1 = '"1-0:36.7.0*255"'
_SML_COUNTERS: dict[str, str | float] = {
    "import_kwh_path": '"1-0:1.8.0*255"',
    "export_kwh_path": '"1-0:2.8.0*255"',
    "kwh_scale": 0.001,  # SML counts Wh
}
_REGISTER = "meter.reading.registers"

PROFILES: tuple[Profile, ...] = (
    Profile(
        name="tasmota_sml_http",
        number=1,
        title="Tasmota with an SML reading head, asked",
        settings={
            "request": _STATUS_10,
            "path": _SML,
            "import_kwh_path": "StatusSNS.SML.Total_in",
            "export_kwh_path": "StatusSNS.SML.Total_out",
            "expected_interval_s": 1,
        },
        traps=(
            _SML_NAMES_VARY,
            "a web password goes into the request: /cm?user=admin&password=...&cmnd=Status%2010",
            "as fresh as the meter's own telegrams, 1 to 4 s",
        ),
    ),
    Profile(
        name="tasmota_energy_http",
        number=2,
        title="Tasmota with an energy meter, asked",
        settings={
            "request": _STATUS_10,
            "path": "StatusSNS.ENERGY.Power",
            "expected_interval_s": 1,
        },
        traps=("a list of phases is summed", "check that surplus shows a minus"),
    ),
    Profile(
        name="shelly_3em_http",
        number=3,
        title="Shelly 3EM (first generation), asked",
        settings={"request": "/status", "path": "total_power", "expected_interval_s": 1},
        traps=("all phases in one answer", "with a password: auth: basic in the link"),
    ),
    Profile(
        name="shelly_pro_3em_http",
        number=5,
        title="Shelly Pro 3EM and 3EM Gen3, asked",
        settings={
            "request": "/rpc/EM.GetStatus?id=0",
            "path": "total_act_power",
            "expected_interval_s": 1,
        },
        traps=("with a password: username: admin and auth: digest in the link",),
    ),
    Profile(
        name="tibber_pulse",
        number=9,
        title="Tibber Pulse IR, asked at its bridge",
        settings={
            "request": "/data.json?node_id=1",
            "format": "sml",
            "path": f"{_POWER} | {_POWER_L1}",
            **_SML_COUNTERS,
            "expected_interval_s": 2,
        },
        traps=(
            "the bridge's web server must be switched on; user admin, password from its label",
            "2 to 6 s, with outliers beyond 10 s",
        ),
    ),
    Profile(
        name="tibber_pulse_two_registers",
        number=9,
        title="Tibber Pulse IR on a meter with 1.7.0 and 2.7.0 instead of 16.7.0",
        settings={
            "request": "/data.json?node_id=1",
            "format": "sml",
            "path": '"1-0:1.7.0*255"',
            "export_path": '"1-0:2.7.0*255"',
            **_SML_COUNTERS,
            "expected_interval_s": 2,
        },
        traps=("2 to 6 s, with outliers beyond 10 s",),
    ),
    Profile(
        name="vzlogger_http",
        number=10,
        title="vzlogger's local web server",
        settings={
            "request": "/{id}",
            "path": "data[0].tuples[0][1]",
            "time_path": "data[0].tuples[0][0]",
            "expected_interval_s": 1,
        },
        id_means="the channel's uuid",
        example_id="5b1c0e0a-6f2d-11ee-b962-0242ac120002",
        traps=("needs local: enabled in vzlogger's configuration",),
    ),
    Profile(
        name="fronius_meter",
        number=11,
        title="Fronius smart meter, Solar API",
        settings={
            "request": "/solar_api/v1/GetMeterRealtimeData.cgi?Scope=System",
            "path": "Body.Data.0.PowerReal_P_Sum",
            "import_kwh_path": "Body.Data.0.EnergyReal_WAC_Plus_Absolute",
            "export_kwh_path": "Body.Data.0.EnergyReal_WAC_Minus_Absolute",
            "kwh_scale": 0.001,
            "expected_interval_s": 1,
        },
        traps=(
            "a meter in the load branch measures something else: use fronius_flow",
            "several meters: 0 in the path is the first",
        ),
    ),
    Profile(
        name="fronius_flow",
        number=11,
        title="Fronius inverter, power flow of the Solar API",
        settings={
            "request": "/solar_api/v1/GetPowerFlowRealtimeData.fcgi",
            "path": "Body.Data.Site.P_Grid",
            "expected_interval_s": 1,
        },
        traps=("null without a meter, and at night with some inverters: no reading",),
    ),
    Profile(
        name="homewizard_p1",
        number=15,
        title="HomeWizard P1 meter, local API v1",
        settings={
            "request": "/api/v1/data",
            "path": "active_power_w",
            "import_kwh_path": "total_power_import_kwh",
            "export_kwh_path": "total_power_export_kwh",
            "expected_interval_s": 1,
        },
        traps=("the local API must be switched on in its app", "each second with DSMR 5"),
    ),
    Profile(
        name="powerfox",
        number=16,
        title="Powerfox poweropti, cloud API",
        settings={
            "request": "/api/2.0/my/main/current",
            "path": "Watt",
            "time_path": "Timestamp",
            "outdated_path": "Outdated",
            "expected_interval_s": 10,
        },
        traps=(
            "the link is https://backend.powerfox.energy with the account's name and password",
            "its maker asks for no more than one request in 10 s",
        ),
        unfit="readings come through the cloud, each 10 s",
    ),
    Profile(
        name="poweropti_local",
        number=16,
        title="Powerfox poweropti, local interface",
        settings={
            "request": "{id}",
            "path": "Watt",
            "time_path": "Timestamp",
            "outdated_path": "Outdated",
            "expected_interval_s": 3,
        },
        id_means="the path of its local interface, with a slash first",
        example_id="/value",
        traps=("an answer with Outdated is no reading", "its path depends on the firmware"),
    ),
    Profile(
        name="iometer",
        number=17,
        title="IOmeter bridge, local API v1",
        settings={
            "request": "/v1/reading",
            "path": f'{_REGISTER}[obis="01-00:10.07.00*ff"].value | '
            f'{_REGISTER}[obis="01-00:24.07.00*ff"].value',
            "import_kwh_path": f'{_REGISTER}[obis="01-00:01.08.00*ff"].value',
            "export_kwh_path": f'{_REGISTER}[obis="01-00:02.08.00*ff"].value',
            "kwh_scale": 0.001,
            "time_path": "meter.reading.time",
            "expected_interval_s": 3,
        },
        traps=(
            "its OBIS codes are hexadecimal: 10.07 is 16.7.0, 24.07 is 36.7.0 (phase 1)",
            "as often as its battery-powered head sends",
        ),
    ),
)
