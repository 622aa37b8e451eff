"""From a file to a checked configuration, or to everything that is wrong with it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

from pydantic import ValidationError

from gridzero.config.cross_checks import check_site
from gridzero.config.document import Document
from gridzero.config.explain import Explainer, nearest
from gridzero.config.files import read_text
from gridzero.config.models import Config
from gridzero.config.problems import TOP, Notes, Problem, shown
from gridzero.config.secret_values import SecretValues
from gridzero.config.sketch import Sketch
from gridzero.config.version import modernise, refuse_newer
from gridzero.config.yaml_lines import parse
from gridzero.ports.plugin import DriverPlugin, Options


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration in which everything fits.

    device_options: by device name, in the order of the file. warnings: what still deserves a
    look.
    """

    config: Config
    device_options: dict[str, Options]
    warnings: tuple[Problem, ...]


def load(
    path: str | os.PathLike[str],
    plugins: Mapping[str, DriverPlugin],
    *,
    broken: Mapping[str, str] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Loaded:
    """Read and check a configuration file.

    plugins: the drivers by name. broken: drivers that could not be loaded, and why.
    environ: for ``!env``, the process's own by default.
    Raises ConfigErrors with every problem of the file.
    """
    file = FilePath(path)
    text = read_text(file)
    return load_text(text, file, plugins, broken=broken, environ=environ)


def load_text(
    text: str,
    file: FilePath,
    plugins: Mapping[str, DriverPlugin],
    *,
    broken: Mapping[str, str] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Loaded:
    """As load(); file only names the text and tells where the secrets file would be."""
    notes = Notes(str(file))
    secrets = SecretValues(file.parent, os.environ if environ is None else environ, notes)
    document = parse(text, notes, secrets.tags())
    _require_sections(document, notes)
    refuse_newer(document, notes)
    modernise(document, notes)
    config = _config(document, notes)
    sketch = _Devices(document, notes, plugins, broken or {}).read()
    check_site(document, notes, sketch, config)
    notes.raise_if_any()
    assert config is not None, "whatever the model refuses is a problem"
    warnings = sorted(notes.warnings, key=lambda warning: warning.line)
    return Loaded(config, sketch.options, tuple(warnings))


def _require_sections(document: Document, notes: Notes) -> None:
    """Raises ConfigErrors unless the file is a mapping."""
    if isinstance(document.value, dict):
        return
    if document.value is None and not document.spoilt:
        what = "the file is empty"
    else:
        what = f"the file has no sections, only {shown(document.value)}"
    notes.tell(TOP, (), what, "Start from configs/minimal.yaml")
    notes.raise_if_any()


def _config(document: Document, notes: Notes) -> Config | None:
    try:
        return Config.model_validate(document.value)
    except ValidationError as error:
        Explainer(document, notes, Config).tell(error)
        return None


class _Devices:
    """Reads the device sections with the options models of their drivers."""

    def __init__(
        self,
        document: Document,
        notes: Notes,
        plugins: Mapping[str, DriverPlugin],
        broken: Mapping[str, str],
    ) -> None:
        self._document, self._notes = document, notes
        self._plugins, self._broken = plugins, broken

    def read(self) -> Sketch:
        sketch = Sketch()
        sections = self._document.get(("devices",))
        for name, section in sections.items() if isinstance(sections, dict) else ():
            plugin = self._plugin(name, section)
            sketch.drivers[name] = plugin
            if plugin is not None:
                options = self._options(name, section, plugin)
                if options is not None:
                    sketch.options[name] = options
        return sketch

    def _plugin(self, name: str, section: Any) -> DriverPlugin | None:
        if not isinstance(section, dict):
            return None  # the model of the whole file tells that
        path = ("devices", name, "driver")
        if "driver" not in section:
            known = ", ".join(sorted(self._plugins))
            place = self._document.place(path[:-1])
            self._notes.tell(place, path, "this setting is missing", f"Add 'driver: ' and {known}")
            return None
        driver = section["driver"]
        plugin = self._plugins.get(driver) if isinstance(driver, str) else None
        if plugin is None and path not in self._document.spoilt:
            self._notes.tell(self._document.place(path), path, *self._unknown(driver))
        return plugin

    def _unknown(self, driver: Any) -> tuple[str, str]:
        if isinstance(driver, str) and driver in self._broken:
            what = f"the driver {driver!r} cannot be loaded: {self._broken[driver]}"
            return what, "Install the driver's package again, or report this to its maker"
        hint, known = nearest(driver, self._plugins), ", ".join(sorted(self._plugins))
        return f"there is no driver {shown(driver)}", f"{hint}Installed are: {known or 'none'}"

    def _options(self, name: str, section: Any, plugin: DriverPlugin) -> Options | None:
        try:
            return plugin.options.model_validate(section)
        except ValidationError as error:
            base = ("devices", name)
            Explainer(self._document, self._notes, plugin.options, base).tell(error)
            return None
