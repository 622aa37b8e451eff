"""Grid meters that speak MQTT, by name. The numbers are the rows of docs/meters.md.

Sources: the public documentation and source of the named projects, as in the README.
"""

from __future__ import annotations

from gridzero.ports.plugin import Profile

_SML = "SML.Power_curr | SML.curr_w | SML.power | SML.P | MT175.P | E320.power | DWS7410.power"
_TASMOTA_SLOW = (
    "TelePeriod is at least 10 s: too slow unless a script publishes more often (then set "
    "expected_interval_s), or use the HTTP profile"
)
_SML_NAMES_VARY = (
    "group and names are those of your script: set path, import_kwh_path and export_kwh_path (in "
    "kWh) when they are others"
)
_NAME = "the device's topic in Tasmota"
_SHELLY = "the Shelly's MQTT prefix"

PROFILES: tuple[Profile, ...] = (
    Profile(
        name="tasmota_sml",
        number=1,
        title="Tasmota with an SML reading head",
        settings={
            "topic": "tele/{id}/SENSOR",
            "path": _SML,
            "import_kwh_path": "SML.Total_in",
            "export_kwh_path": "SML.Total_out",
            "expected_interval_s": 10,
        },
        id_means=_NAME,
        example_id="hichi",
        traps=(
            _TASMOTA_SLOW,
            _SML_NAMES_VARY,
            "may say 0 just after its start",
        ),
    ),
    Profile(
        name="tasmota_energy",
        number=2,
        title="Tasmota with an energy meter such as SDM72, SDM630",
        settings={"topic": "tele/{id}/SENSOR", "path": "ENERGY.Power", "expected_interval_s": 10},
        id_means=_NAME,
        example_id="sdm630",
        traps=(
            _TASMOTA_SLOW,
            "a list of phases is summed",
            "some drivers drop the sign: check that surplus shows a minus",
        ),
    ),
    Profile(
        name="shelly_3em",
        number=3,
        title="Shelly 3EM (first generation)",
        settings={
            "sources": [{"topic": f"shellies/{{id}}/emeter/{n}/power"} for n in range(3)],
            "expected_interval_s": 1,
        },
        id_means=_SHELLY,
        example_id="shellyem3-A1B2C3D4E5F6",
        traps=(
            "phases arrive apart and only on change: a silent one means no readings",
            "the HTTP profile has all phases in one answer",
        ),
    ),
    Profile(
        name="shelly_pro_3em",
        number=4,
        title="Shelly Pro 3EM and 3EM Gen3, events",
        settings={
            "topic": "{id}/events/rpc",
            "path": "params.em:0.total_act_power",
            "time_path": "params.ts",
            "expected_interval_s": 1,
        },
        id_means=_SHELLY,
        example_id="shellypro3em-a1b2c3d4e5f6",
        traps=(
            "switch on RPC status notifications over MQTT",
            "other events on the topic are skipped",
        ),
    ),
    Profile(
        name="shelly_pro_3em_status",
        number=5,
        title="Shelly Pro 3EM, status topic",
        settings={
            "topic": "{id}/status/em:0",
            "path": "total_act_power",
            "expected_interval_s": 15,
        },
        id_means=_SHELLY,
        example_id="shellypro3em-a1b2c3d4e5f6",
        traps=(
            "switch on generic status updates over MQTT",
            "each 15 s, or on a change of 5 % or 10 W; a script on the device can push each second",
        ),
    ),
    Profile(
        name="shelly_pro_3em_mono",
        number=5,
        title="Shelly Pro 3EM, monophase profile, status topics",
        settings={
            "sources": [{"topic": f"{{id}}/status/em1:{n}", "path": "act_power"} for n in range(3)],
            "expected_interval_s": 15,
        },
        id_means=_SHELLY,
        example_id="shellypro3em-a1b2c3d4e5f6",
        traps=("the three topics arrive apart", "each 15 s; a script can push each second"),
    ),
    Profile(
        name="dsmr_reader",
        number=6,
        title="DSMR-reader, topics",
        settings={
            "topic": "dsmr/reading/electricity_currently_delivered",
            "export_topic": "dsmr/reading/electricity_currently_returned",
            "scale": 1000,
            "expected_interval_s": 1,
        },
        traps=("kW", "DSMR 5 each second, older meters each 10 s: set expected_interval_s"),
    ),
    Profile(
        name="dsmr_reader_json",
        number=6,
        title="DSMR-reader, JSON topic",
        settings={
            "topic": "{id}",
            "path": "electricity_currently_delivered",
            "export_path": "electricity_currently_returned",
            "import_kwh_path": ["electricity_delivered_1", "electricity_delivered_2"],
            "export_kwh_path": ["electricity_returned_1", "electricity_returned_2"],
            "time_path": "timestamp",
            "scale": 1000,
            "expected_interval_s": 1,
        },
        id_means="the topic that DSMR-reader's JSON goes to",
        example_id="dsmr/json",
        traps=("better than two topics: import and export come together",),
    ),
    Profile(
        name="p1_gateway",
        number=7,
        title="P1 gateway with two topics in W",
        settings={
            "topic": "{id}/actual_consumption",
            "export_topic": "{id}/actual_returndelivery",
            "expected_interval_s": 1,
        },
        id_means="the first part of its topics",
        example_id="sensors/power/p1meter",
        traps=("some projects send kW: add scale: 1000",),
    ),
    Profile(
        name="p1_gateway_kw",
        number=7,
        title="P1 gateway with P_cons and P_prod in kW (fluvius2mqtt)",
        settings={
            "topic": "{id}/P_cons",
            "export_topic": "{id}/P_prod",
            "scale": 1000,
            "expected_interval_s": 1,
        },
        id_means="the first part of its topics",
        example_id="fluvius",
        traps=("where both stand in one JSON message: topic, path: P_cons, export_path: P_prod",),
    ),
    Profile(
        name="ams_bridge",
        number=8,
        title="AmsToMqttBridge (Nordic HAN) with export",
        settings={
            "topic": "{id}",
            "path": "data.P",
            "export_path": "data.PO",
            "time_path": "t",
            "expected_interval_s": 2.5,
        },
        id_means="the topic that is set in the bridge",
        example_id="amsleser",
        traps=(
            "short lists come each 2 to 10 s; lists without P or PO are skipped",
            "the short list of some meters has P only; then this profile has no readings",
        ),
    ),
    Profile(
        name="ams_bridge_import_only",
        number=8,
        title="AmsToMqttBridge without export",
        settings={
            "topic": "{id}",
            "path": "data.P",
            "time_path": "t",
            "expected_interval_s": 2.5,
        },
        id_means="the topic that is set in the bridge",
        example_id="amsleser",
        unfit="it says 0 on surplus, however large the surplus is",
    ),
    Profile(
        name="tibber_pulse_mqtt",
        number=9,
        title="Tibber Pulse, republished as JSON with OBIS codes",
        settings={
            "topic": "{id}",
            "path": '"1-0:16.7.0*255" | "16.7.0" | "1-0:36.7.0*255"',
            "expected_interval_s": 3,
        },
        id_means="the topic of the program that republishes",
        example_id="tibber/meter",
        traps=("2 to 6 s, with outliers beyond 10 s",),
    ),
    Profile(
        name="vzlogger",
        number=10,
        title="vzlogger, JSON with time stamp",
        settings={
            "topic": "vzlogger/{id}/raw",
            "path": "value",
            "time_path": "timestamp",
            "expected_interval_s": 1,
        },
        id_means="the channel",
        example_id="chn2",
        traps=("needs timestamp: true in vzlogger's mqtt section",),
    ),
    Profile(
        name="vzlogger_plain",
        number=10,
        title="vzlogger, plain numbers",
        settings={"topic": "vzlogger/{id}/raw", "expected_interval_s": 1},
        id_means="the channel",
        example_id="chn2",
    ),
    Profile(
        name="fronius_mqtt",
        number=11,
        title="Fronius smart meter, JSON republished by a bridge",
        settings={
            "topic": "{id}",
            "path": "Body.Data.0.PowerReal_P_Sum | Body.Data.Site.P_Grid",
            "import_kwh_path": "Body.Data.0.EnergyReal_WAC_Plus_Absolute",
            "export_kwh_path": "Body.Data.0.EnergyReal_WAC_Minus_Absolute",
            "kwh_scale": 0.001,
            "expected_interval_s": 1,
        },
        id_means="the topic of the bridge",
        example_id="fronius/meter",
        traps=("a meter in the load branch measures something else",),
    ),
    Profile(
        name="sma_mqtt",
        number=12,
        title="SMA Energy Meter or Home Manager, republished by a Speedwire bridge",
        settings={
            "topic": "{id}",
            "path": "pconsume",
            "export_path": "psupply",
            "expected_interval_s": 1,
        },
        id_means="the topic of the bridge",
        example_id="sma/em",
        traps=("names are those of your bridge; the driver sma_meter needs no bridge",),
    ),
    Profile(
        name="zigbee2mqtt",
        number=13,
        title="Zigbee meter with signed power, by zigbee2mqtt",
        settings={"topic": "zigbee2mqtt/{id}", "path": "power", "expected_interval_s": 10},
        id_means="the friendly name in zigbee2mqtt",
        example_id="house",
        traps=(
            "5 to 30 s by reporting: set expected_interval_s to yours",
            "a clamp without sign needs zigbee2mqtt_clamp",
        ),
    ),
    Profile(
        name="zigbee2mqtt_clamp",
        number=13,
        title="Zigbee clamp with unsigned power and a direction, by zigbee2mqtt",
        settings={
            "topic": "zigbee2mqtt/{id}",
            "path": "power | power_a",
            "direction_path": "energy_flow | energy_flow_a",
            "expected_interval_s": 10,
        },
        id_means="the friendly name in zigbee2mqtt",
        example_id="clamp",
        traps=(
            "number and direction may change in different messages: wrong for one report at zero",
            "5 to 30 s by reporting",
        ),
    ),
    Profile(
        name="esphome",
        number=14,
        title="ESPHome sensor",
        settings={"topic": "{id}/state", "expected_interval_s": 1},
        id_means="node and sensor",
        example_id="meterbox/sensor/grid",
        traps=("rate by its update_interval and filters", "nan before the first measurement"),
    ),
    Profile(
        name="homewizard_mqtt",
        number=15,
        title="HomeWizard P1, JSON republished by a bridge",
        settings={
            "topic": "{id}",
            "path": "active_power_w",
            "import_kwh_path": "total_power_import_kwh",
            "export_kwh_path": "total_power_export_kwh",
            "expected_interval_s": 1,
        },
        id_means="the topic of the bridge",
        example_id="homewizard/data",
    ),
    Profile(
        name="powerfox_mqtt",
        number=16,
        title="Powerfox, JSON republished by a bridge",
        settings={
            "topic": "{id}",
            "path": "Watt",
            "time_path": "Timestamp",
            "outdated_path": "Outdated",
            "expected_interval_s": 5,
        },
        id_means="the topic of the bridge",
        example_id="powerfox/current",
        traps=("a message with Outdated is no reading",),
    ),
    Profile(
        name="iometer_mqtt",
        number=17,
        title="IOmeter, JSON republished by a bridge",
        settings={
            "topic": "{id}",
            "path": 'meter.reading.registers[obis="01-00:10.07.00*ff"].value | '
            'meter.reading.registers[obis="01-00:24.07.00*ff"].value',
            "import_kwh_path": 'meter.reading.registers[obis="01-00:01.08.00*ff"].value',
            "export_kwh_path": 'meter.reading.registers[obis="01-00:02.08.00*ff"].value',
            "kwh_scale": 0.001,
            "time_path": "meter.reading.time",
            "expected_interval_s": 5,
        },
        id_means="the topic of the bridge",
        example_id="iometer/reading",
    ),
    Profile(
        name="fritz_energy_250",
        number=18,
        title="FRITZ!Smart Energy 250, by Home Assistant statestream",
        settings={"topic": "homeassistant/sensor/{id}/state", "expected_interval_s": 120},
        id_means="the sensor's name in Home Assistant",
        example_id="fritz_energy_power",
        traps=("each 10 s on USB power, about each 2 minutes on its battery",),
        unfit="it reports each 10 s at best, and each 2 minutes on its battery; good for display",
    ),
    Profile(
        name="home_assistant",
        number=19,
        title="any sensor of Home Assistant, by statestream",
        settings={
            "topic": "homeassistant/sensor/{id}/state",
            "latency_s": 0.8,
            "expected_interval_s": 2,
        },
        id_means="the sensor's name in Home Assistant",
        example_id="grid_power",
        traps=(
            "adds Home Assistant's own delay; read the meter directly where you can",
            "statestream speaks only when the value changes",
        ),
    ),
)
