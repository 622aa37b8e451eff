"""What was written on the command line, as sections of links."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from pydantic import SecretStr, ValidationError

from gridzero.config.links import HttpLinkConfig, UdpLinkConfig
from gridzero.errors import ConfigError

SMA_GROUP: Final = {"type": "udp", "port": 9522, "group": "239.12.255.254"}


def http_config(arguments: argparse.Namespace) -> HttpLinkConfig:
    """The web server that is meant. Raises ConfigError."""
    if arguments.url is None:
        raise ConfigError(
            "this meter is asked over HTTP, but where?",
            where="--url",
            remedy="Write --url http://...",
        )
    parts = urlsplit(arguments.url)
    given: dict[str, Any] = {"type": "http", "url": f"{parts.scheme}://{parts.netloc}"}
    if arguments.user is not None:
        given |= {"username": arguments.user, "password": _password(arguments.password_file)}
        given["auth"] = "digest" if arguments.digest else "basic"
    try:
        return HttpLinkConfig.model_validate(given)
    except ValidationError as error:
        raise ConfigError(
            f"{arguments.url!r} is no address of a web server",
            where="--url",
            remedy="Write http://HOST or http://HOST:PORT, and a password with --user",
        ) from error


def _password(file: Path | None) -> SecretStr:
    """Not on the command line, where every user of the machine could read it."""
    if file is None:
        raise ConfigError(
            "a user needs a password", where="--user", remedy="Write --password-file FILE"
        )
    try:
        return SecretStr(file.read_text().strip())
    except (OSError, UnicodeDecodeError) as error:
        remedy = "Give a file with nothing but the password"
        raise ConfigError(f"it cannot be read: {error}", where=str(file), remedy=remedy) from error


def http_section(config: HttpLinkConfig) -> dict[str, Any]:
    """The link as it would stand in a configuration."""
    section: dict[str, Any] = {"type": "http", "url": config.url}
    if config.username is not None:
        section |= {"username": config.username, "password": "!secret meter_password"}
        section["auth"] = config.auth
    return section


def udp_section(text: str) -> dict[str, Any]:
    """The port that is meant, as it would stand in a configuration. Raises ConfigError."""
    address, _, port = text.rpartition(":")
    section = {"type": "udp", "interface": address, "port": int(port) if port.isdecimal() else 0}
    try:
        UdpLinkConfig.model_validate(section)
    except ValidationError as error:
        remedy = "Write ADDRESS:PORT, such as 0.0.0.0:9522"
        raise ConfigError(f"{text!r} is no such thing", where="--udp", remedy=remedy) from error
    return section


def own_request(url: str) -> str | None:
    """What stands behind host and port in a url, None = nothing."""
    parts = urlsplit(url)
    if not parts.path.strip("/") and not parts.query:
        return None
    return parts._replace(scheme="", netloc="", fragment="").geturl()


def untold(code: str, *, active: bool, text: str = "", subject: str = "") -> None:
    """The command says by itself what is wrong with its link."""
