"""The protocol as an AsyncAPI 3.0 document, made from the structs that the program itself decodes and sends."""

from typing import Any, TypeAlias

import msgspec
from msgspec import UNSET, Struct, UnsetType

from timing import __version__
from timing.domain.events import CHANNELS, OWN, Event, event_type
from timing.domain.roles import COMMAND_CHANNELS
from timing.projections.board import Notice, Row, SessionView
from timing.projections.frames import Column, Delta, Snapshot
from timing.reference.examples import EXAMPLES
from timing.services.explanations import Explained
from timing.services.replayed import MOMENT, Control, Replay, ReplayDifference, ReplayMarks, ReplayRefused
from timing.services.spoken import Explain, Resync

Json: TypeAlias = dict[str, Any]

PREFIX = "timing/v1/{session}"
SOURCES = {"passings": "decoder", "laps": "source"}
SPEAKERS = {
    "session": "The timekeeper opens, starts and ends the session and publishes its results.",
    "entries": "The timekeeper says who takes part, with which transponder, and who is at the wheel.",
    "passings": "Decoder adapters say what their loops heard: facts, kept even if they are absurd.",
    "laps": "Adapters of systems that count laps themselves: facts too.",
    "control": "The race director: flags, pit lane, stops, messages.",
    "stewards": "The stewards' decisions and what becomes of them.",
    "corrections": "The timekeeper corrects what was recorded: nothing is edited, a correction names what it corrects.",
}
FILLED_IN = ("rules", "stamped", "acted_by")
TOLD: dict[str, type[Struct]] = {
    "snapshot": Snapshot,
    "delta": Delta,
    "explanation": Explained,
    "replay": Replay,
    "replay_marks": ReplayMarks,
    "replay_difference": ReplayDifference,
    "replay_refused": ReplayRefused,
}
"""What screens are told over the feed."""
ASKED: dict[str, type[Struct]] = {"resync": Resync, "explain": Explain, "control": Control}
"""What screens may send."""


class Accepted(Struct, kw_only=True):
    """A command became record ``seq`` of its session's log; sent again, it is answered with the same ``seq``."""

    id: str
    seq: int


class Rejected(Struct, kw_only=True):
    """A message was not taken: ``code`` for programs, ``reason`` for people. Its bytes are in the log as ``message_rejected``.

    ``data``: what the reason names (a car, a loop …), for words in other languages.
    """

    code: str
    reason: str
    id: str | UnsetType = UNSET
    data: dict[str, str] | UnsetType = UNSET


def document() -> Json:
    """Give the AsyncAPI document as plain JSON values."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Parc Fermé",
            "version": __version__,
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
            "description": "Live race timing: events of a session in over MQTT, its screens out over WebSocket. "
            "Instants are integers of microseconds since 1970-01-01 UTC, durations integers of microseconds; car numbers are text.",
        },
        "defaultContentType": "application/json",
        "servers": {
            "mqtt": {"host": "localhost:1883", "protocol": "mqtt", "protocolVersion": "3.1.1", "description": "the broker"},
            "feed": {"host": "localhost:8765", "protocol": "ws", "description": "the feed's own port"},
            "pages": {"host": "localhost:8080", "protocol": "http", "description": "the pages' port, for who is signed in"},
        },
        "channels": {**_channels(), **_answer_channels(), "desk": _desk_channel(), "feed": _feed_channel()},
        "operations": _operations(),
        "components": {"schemas": _schemas(), "messages": _messages(), "parameters": _parameters()},
    }


def _ref(kind: str, name: str) -> Json:
    return {"$ref": f"#/components/{kind}/{name}"}


def _type_of(kind: type[Event]) -> str:
    return event_type(kind.__name__)


def _event_types() -> list[type[Event]]:
    return [*(kind for kinds in CHANNELS.values() for kind in kinds), *OWN]


def _channels() -> Json:
    channels: Json = {}
    for name, kinds in CHANNELS.items():
        source = SOURCES.get(name)
        channels[name] = {
            "address": f"{PREFIX}/{name}" + (f"/{{{source}}}" if source else ""),
            "description": SPEAKERS[name],
            "servers": [{"$ref": "#/servers/mqtt"}],
            "parameters": {parameter: _ref("parameters", parameter) for parameter in ("session", source) if parameter},
            "messages": {_type_of(kind): _ref("messages", _type_of(kind)) for kind in kinds},
        }
    return channels


def _answer_channels() -> Json:
    return {
        answer: {
            "address": f"{PREFIX}/{answer}/{{channel}}",
            "description": text,
            "servers": [{"$ref": "#/servers/mqtt"}],
            "parameters": {"session": _ref("parameters", "session"), "channel": _ref("parameters", "channel")},
            "messages": {answer: _ref("messages", answer)},
        }
        for answer, text in (
            ("accepted", "Answers to the commands that were taken, on the channel they were sent on."),
            ("rejected", "Answers to what was not taken; under the session `_` where the session is unknown."),
        )
    }


def _desk_channel() -> Json:
    return {
        "address": "/api/sessions/{session}/{channel}",
        "description": "Commands of people who are signed in, over HTTP: taken and answered as over MQTT, with who gave them in the log.",
        "servers": [{"$ref": "#/servers/pages"}],
        "parameters": {
            "session": _ref("parameters", "session"),
            "channel": {"description": "The channel on which the command belongs.", "enum": list(COMMAND_CHANNELS)},
        },
        "messages": {name: _ref("messages", name) for name in [*_commands(), "accepted", "rejected"]},
    }


def _commands() -> list[str]:
    return [_type_of(kind) for channel in COMMAND_CHANNELS for kind in CHANNELS[channel]]


def _feed_channel() -> Json:
    query = {
        "epoch": {"type": "string", "description": "the epoch of the last frame the client has"},
        "rev": {"type": "integer", "minimum": 0, "description": "its rev: the feed goes on from there if it can"},
        "moment": {"type": "string", "pattern": MOMENT.pattern, "description": "of a replay: the moment to share, by its name"},
        "known": {"enum": ["then", "now"], "description": "of a replay: by which way of knowing a new moment begins"},
    }
    return {
        "address": "/v1/sessions/{session}",
        "description": "Everything a screen shows: a snapshot, then what changes. `rev` grows by one with each frame of an `epoch`.",
        "servers": [{"$ref": "#/servers/feed"}],
        "parameters": {"session": _ref("parameters", "session")},
        "bindings": {"ws": {"method": "GET", "query": {"type": "object", "properties": query}, "bindingVersion": "0.1.0"}},
        "messages": {name: _ref("messages", name) for name in (*TOLD, *ASKED)},
    }


def _operations() -> Json:
    def operation(action: str, channel: str, messages: list[str], summary: str, qos: int | None = None) -> Json:
        found: Json = {
            "action": action,
            "channel": {"$ref": f"#/channels/{channel}"},
            "summary": summary,
            "messages": [{"$ref": f"#/channels/{channel}/messages/{message}"} for message in messages],
        }
        return found if qos is None else {**found, "bindings": {"mqtt": {"qos": qos, "bindingVersion": "0.2.0"}}}

    operations = {
        f"take_{name}": operation("receive", name, [_type_of(kind) for kind in kinds], SPEAKERS[name], 1)
        for name, kinds in CHANNELS.items()
    }
    return operations | {
        "accept": operation("send", "accepted", ["accepted"], "Answer a command that became an event.", 0),
        "reject": operation("send", "rejected", ["rejected"], "Answer a message that was not taken.", 0),
        "show": operation("send", "feed", ["snapshot", "delta"], "Tell a screen what the session looks like."),
        "take_at_the_desk": {
            **operation("receive", "desk", _commands(), "Take a command from somebody who is signed in."),
            "bindings": {"http": {"method": "POST", "bindingVersion": "0.3.0"}},
            "reply": {
                "channel": {"$ref": "#/channels/desk"},
                "messages": [{"$ref": f"#/channels/desk/messages/{name}"} for name in ("accepted", "rejected")],
            },
        },
        "resynchronise": operation("receive", "feed", ["resync"], "Send the screen a fresh snapshot."),
        "explain": operation("receive", "feed", ["explain"], "Tell the screen what a car's place rests on."),
        "explained": operation("send", "feed", ["explanation"], "Answer a screen that asked what a place rests on."),
        "drive": operation("receive", "feed", ["control"], "Drive a replay as a screen asks."),
        "replay": operation("send", "feed", [n for n in TOLD if n.startswith("replay")], "Tell a screen of the replay that it drives."),
    }


def _parameters() -> Json:
    return {
        "session": {"description": "The session's name: `[a-z0-9][a-z0-9-]{0,63}`.", "examples": ["albi-race-1"]},
        "decoder": {"description": "The decoder's name, the same as in its passings.", "examples": ["line-1"]},
        "source": {"description": "The system's name, the same as in its laps.", "examples": ["club-system"]},
        "channel": {"description": "The channel of the message that is answered.", "examples": ["control", "stewards", "passings/line-1"]},
    }


def _messages() -> Json:
    messages: Json = {}
    for kind in _event_types():
        name = _type_of(kind)
        messages[name] = _message(name, kind)
        messages[name]["examples"] = [
            {"payload": msgspec.json.decode(msgspec.json.encode(event))} for event in EXAMPLES if type(event) is kind
        ]
    answers: dict[str, type[Struct]] = {"accepted": Accepted, "rejected": Rejected, **TOLD, **ASKED}
    return messages | {name: _message(name, kind) for name, kind in answers.items()}


def _message(name: str, kind: type[Struct]) -> Json:
    summary = _plain(str(kind.__doc__))
    return {"name": name, "title": kind.__name__, "summary": summary, "payload": _ref("schemas", kind.__name__)}


def _schemas() -> Json:
    events = _event_types()
    beside = [kind for kind in (TOLD | ASKED).values() if kind not in (Snapshot, Delta)]
    parts = [Accepted, Rejected, *beside, SessionView, Column, Row, Notice]
    _, schemas = msgspec.json.schema_components([*events, *parts], ref_template="#/components/schemas/{name}")
    schemas = _with_short_names(schemas)
    for schema in schemas.values():
        schema["description"] = _plain(schema.get("description", ""))
    for kind in events:
        properties = schemas[kind.__name__]["properties"]
        for name in FILLED_IN:
            if name in properties:
                properties[name] |= {"readOnly": True, "description": "filled in by the service"}
    changes = {
        "SessionChanges": _changes(schemas["SessionView"], "session"),
        "RowChanges": _changes(schemas["Row"], "row, or all of a new one"),
    }
    frames = {kind.__name__: _frame(kind) for kind in (Snapshot, Delta)}
    return dict(sorted({**schemas, **changes, **frames}.items()))


def _with_short_names(schemas: Json) -> Json:
    """Rename what two modules call the same: msgspec puts the module's name before such schemas."""
    text = msgspec.json.encode(schemas).decode()
    for name in schemas:
        if "." in name:
            text = text.replace(f'"{name}"', f'"{_short(name)}"').replace(f'/{name}"', f'/{_short(name)}"')
    renamed: Json = msgspec.json.decode(text)
    assert len(renamed) == len(schemas), "two schemas share a name"
    return renamed


def _plain(docstring: str) -> str:
    """Give a docstring as one line of Markdown."""
    return " ".join(docstring.split()).replace("``", "`")


def _short(name: str) -> str:
    module, _, short = name.rpartition(".")
    return f"{short}View" if module.endswith(".board") else short


def _changes(schema: Json, what: str) -> Json:
    return {**schema, "title": f"{schema['title']}Changes", "description": f"The fields of the {what} that changed.", "required": []}


def _frame(kind: type[Snapshot | Delta]) -> Json:
    """Describe a frame. A screen may join before the session's first record: its snapshot's session is then empty."""
    whole = kind is Snapshot
    car_list = {"type": "array", "items": {"type": "string"}}
    counter = {"type": "integer", "minimum": 0}
    fields: Json = {
        "epoch": {
            "type": "string",
            "description": "names one run of the service, or one stretch of a replay: another epoch's revs are another story",
        },
        "rev": counter | {"description": "grows by one with each frame of the epoch"},
        "seq": counter | {"description": "the record of the log that the frame has come to"},
        "at": counter | {"description": "the instant of the latest evidence, in microseconds since 1970-01-01 UTC"},
        "session": {"anyOf": [_ref("schemas", "SessionView"), {"type": "object", "maxProperties": 0}]}
        if whole
        else _ref("schemas", "SessionChanges"),
        "columns": {"type": "array", "items": _ref("schemas", "Column")},
        "order": car_list | {"description": "the cars in running order" + ("" if whole else ", if it changed")},
        "rows": {"type": "object", "additionalProperties": _ref("schemas", "Row" if whole else "RowChanges")},
        "gone": car_list | {"description": "cars whose rows are to be taken away"},
        "messages": {"type": "array", "items": _ref("schemas", "Notice")},
    }
    members = msgspec.structs.fields(kind)
    return {
        "title": kind.__name__,
        "description": _plain(str(kind.__doc__)),
        "type": "object",
        "properties": {"kind": {"const": kind.__name__.lower()}, **{member.encode_name: fields[member.encode_name] for member in members}},
        "required": ["kind", *(member.encode_name for member in members if member.required)],
    }
