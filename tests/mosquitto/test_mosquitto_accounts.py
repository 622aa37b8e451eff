"""Who gridzero takes for its broker, who the broker takes for gridzero, and what people are told."""

from __future__ import annotations

import gc
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from broker import NEEDS_MOSQUITTO, access, mosquitto, passwords, tls
from certificates import ELSEWHERE, LOCAL, Authority
from listener import STATUS, Listener, connected, listening
from process_site import until

from gridzero.links import mqtt_birth
from gridzero.links.mqtt_connection import MqttTls

SECRET = "a-word-that-nobody-else-knows"


@pytest.fixture(autouse=True)
def _sockets_of_failed_handshakes() -> Iterator[None]:
    """paho leaves the socket of a failed handshake to the garbage collector."""
    yield
    gc.collect()


pytestmark = [
    *NEEDS_MOSQUITTO,
    pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning"),
]


async def told(one: Listener) -> str:
    """What people are told about a connection that does not come about."""
    async with listening(one):
        await until(lambda: one.outage)
        assert not one.is_up
    assert SECRET not in one.outage
    return one.outage


async def test_tls_with_an_own_authority_and_a_password(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    lines = (*tls(authority, authority.sign("server")), *passwords(tmp_path, gz=SECRET))
    known = MqttTls(ca_file=str(authority.file))
    async with mosquitto(tmp_path, *lines) as broker:
        for host in ("localhost", "127.0.0.1"):
            account = {"username": "gz", "password": SECRET, "tls": known, "host": host}
            async with connected(broker.port, "house/#", **account) as one:
                one.link.publish("house/x", "1")
                await until(lambda one=one: one.heard("house/x") == [b"1"])
                assert one.told == []
        wrong = Listener(broker.port, username="gz", password=f"{SECRET}-not", tls=known)
        assert "password" in await told(wrong)
        assert "password" in await told(Listener(broker.port, tls=known))
        plain = Listener(broker.port, username="gz", password=SECRET)
        assert "mqtt.tls" in await told(plain)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("authority", "certificate verify failed: self-signed certificate in certificate chain"),
        ("expired", "certificate has expired"),
        ("name", "not valid for"),
    ],
)
async def test_a_broker_that_cannot_show_who_it_is_gets_no_password(
    tmp_path: Path, fault: str, expected: str
) -> None:
    authority = Authority(tmp_path)
    server = authority.sign(
        "server",
        names=ELSEWHERE if fault == "name" else LOCAL,
        days=-1 if fault == "expired" else 2,
    )
    trusted = Authority(tmp_path, "stranger") if fault == "authority" else authority
    async with mosquitto(tmp_path, *tls(authority, server), "allow_anonymous true") as broker:
        known = MqttTls(ca_file=str(trusted.file))
        text = await told(Listener(broker.port, username="gz", password=SECRET, tls=known))
        assert expected in text
        assert "Check tls" in text
        assert " as " not in broker.log.split("running", 1)[1], "somebody has logged in"


async def test_a_client_certificate_opens_the_door_and_its_lack_is_told(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    lines = tls(authority, authority.sign("server"), asks_clients=True)
    own = authority.sign("gridzero")
    stranger = Authority(tmp_path, "stranger").sign("stranger")
    async with mosquitto(tmp_path, *lines) as broker:

        def account(**files: str) -> MqttTls:
            return MqttTls(ca_file=str(authority.file), **files)

        mine = account(cert_file=str(own.cert_file), key_file=str(own.key_file))
        async with connected(broker.port, "house/#", tls=mine) as one:
            one.link.publish("house/x", "1")
            await until(lambda: one.heard("house/x"))
        theirs = account(cert_file=str(stranger.cert_file), key_file=str(stranger.key_file))
        for wrong in (account(), theirs):
            assert "tls.cert_file" in await told(Listener(broker.port, tls=wrong))
        mixed = account(cert_file=str(own.cert_file), key_file=str(stranger.key_file))
        assert "KEY_VALUES_MISMATCH" in await told(Listener(broker.port, tls=mixed))


@pytest.fixture
def quick_echo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mqtt_birth, "ECHO_LIMIT_S", 0.5)


@pytest.mark.usefixtures("quick_echo")
async def test_what_the_access_list_swallows_is_noticed(tmp_path: Path) -> None:
    """Mosquitto acknowledges what it drops; only the echo shows it."""
    rules = access(tmp_path, "user gz", "topic read #")
    async with (
        mosquitto(tmp_path, *passwords(tmp_path, gz=SECRET), *rules) as broker,
        connected(broker.port, username="gz", password=SECRET) as one,
    ):
        await until(lambda: ("broker_refuses", "echo") in one.standing)
        assert STATUS in one.standing["broker_refuses", "echo"]
        assert one.is_up, "what is heard is still heard"
        assert SECRET not in str(one.standing)


@pytest.mark.usefixtures("quick_echo")
async def test_who_may_speak_but_not_listen_is_noticed_too(tmp_path: Path) -> None:
    rules = access(tmp_path, "user gz", "topic write #")
    async with (
        mosquitto(tmp_path, *passwords(tmp_path, gz=SECRET), *rules) as broker,
        connected(broker.port, "meterbox/grid", username="gz", password=SECRET) as one,
    ):
        await until(lambda: ("broker_refuses", "echo") in one.standing)


async def test_with_the_rights_it_needs_nothing_is_told(tmp_path: Path) -> None:
    rules = access(tmp_path, "user gz", "topic readwrite gridzero/#")
    async with (
        mosquitto(tmp_path, *passwords(tmp_path, gz=SECRET), *rules) as broker,
        connected(broker.port, STATUS, username="gz", password=SECRET) as one,
    ):
        await until(lambda: b"online" in one.heard(STATUS))
        assert one.told == []


def dynamic_security(folder: Path) -> tuple[str, ...]:
    """Lines for a broker that lets a user hear and say gridzero/#, and refuses the rest aloud."""
    plugins = [*Path("/usr/lib").glob("*/mosquitto_dynamic_security.so")]
    if not plugins:
        pytest.skip("mosquitto came without its dynamic security plugin")
    rules = folder / "dynamic.json"
    command = ["mosquitto_ctrl", "dynsec", "init", str(rules), "gz", SECRET]
    subprocess.run(command, check=True, capture_output=True)
    values = json.loads(rules.read_text())
    values["roles"][0]["acls"] = [
        {"acltype": kind, "topic": "gridzero/#", "priority": 0, "allow": True}
        for kind in ("publishClientSend", "publishClientReceive", "subscribePattern")
    ]
    rules.write_text(json.dumps(values))
    return "allow_anonymous false", f"plugin {plugins[0]}", f"plugin_opt_config_file {rules}"


async def test_a_refused_subscription_is_told_by_its_topic(tmp_path: Path) -> None:
    """An access list refuses no subscription; the dynamic security plugin does."""
    lines = dynamic_security(tmp_path)
    async with (
        mosquitto(tmp_path, *lines) as broker,
        connected(broker.port, "meterbox/grid", username="gz", password=SECRET) as one,
    ):
        await until(lambda: ("broker_refuses", "subscriptions") in one.standing)
        assert "meterbox/grid" in one.standing["broker_refuses", "subscriptions"]
        assert STATUS not in one.standing["broker_refuses", "subscriptions"]
        assert ("broker_refuses", "echo") not in one.standing
