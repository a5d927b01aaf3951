"""The settings for people: the documented configuration file, and the table of the operating manual, from the defaults themselves."""

import json
from pathlib import Path

from pydantic.fields import FieldInfo

from timing.services.settings import Settings

HEAD = """\
# The settings of `timing serve` and their defaults. Each may also be given in the environment (TIMING_MQTT_PORT=1884) or on the command
# line (--mqtt-port 1884), which go before this file. Unknown names are refused.
"""


def toml() -> str:
    """Write the configuration file that says what happens without one."""
    return HEAD + "".join(f"\n# {field.description}\n{_toml_line(name, field)}\n" for name, field in Settings.model_fields.items())


def table() -> str:
    """Write the settings as a Markdown table."""
    rows = [
        f"| `{name}` | `TIMING_{name.upper()}` | {_value(field) and f'`{_value(field)}`'} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]
    return "\n".join(["| setting | in the environment | default | |", "|---|---|---|---|", *rows]) + "\n"


def _toml_line(name: str, field: FieldInfo) -> str:
    value = _value(field)
    return f"{name} = {value}" if value else f'# {name} = ""'


def _value(field: FieldInfo) -> str:
    value = field.default
    return "" if value is None else json.dumps(str(value) if isinstance(value, Path) else value)
