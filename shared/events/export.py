"""The catalogue as documents: a JSON Schema for every event type, and one AsyncAPI 3 document for all topics.

``python -m shared.events.export`` writes them to ``docs/events``. They are committed, and a test compares them with the
models. The command refuses a change that would break readers or stored events (``shared.events.compatibility``).
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from shared.events.catalogue import CATALOGUE, TopicEvents
from shared.events.compatibility import breaking_changes
from shared.events.envelope import Event

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "events"
ASYNCAPI = "asyncapi.json"
SCHEMA_DIALECT = "https://json-schema.org/draft/2020-12/schema"

_HEADERS = {
    "type": "object",
    "required": ["type", "id"],
    "properties": {
        "type": {"type": "string", "description": "The event's type: a reader can skip a record undecoded."},
        "id": {"type": "string", "format": "uuid", "description": "The event's id."},
        "traceparent": {"type": "string", "description": "W3C trace context, as in the event."},
        "points_tender": {
            "type": "string",
            "enum": ["0", "1"],
            "description": "On purchases: 1 where a part was paid with points.",
        },
        "privileges": {
            "type": "string",
            "enum": ["1"],
            "description": "On purchases: there where privileges were used.",
        },
    },
}


def event_classes(topic: TopicEvents[Any]) -> dict[str, type[Event]]:
    """The classes of a topic's events by their ``type``."""
    known = {str(event.model_fields["type"].default): event for event in Event.__subclasses__()}
    return {kind: known[kind] for kind in topic.types()}


def event_schema(kind: str, event: type[Event]) -> dict[str, Any]:
    """The JSON Schema of one event as it stands on the wire."""
    schema = event.model_json_schema(mode="validation")
    # They have defaults in Python, and every written event bears them: a reader may rely on that.
    schema["required"] = sorted({*schema.get("required", ()), "specversion", "type"})
    return {"$schema": SCHEMA_DIALECT, "$id": f"{kind}.json"} | schema


def schemas() -> dict[str, dict[str, Any]]:
    """All schemas by event type."""
    return {kind: event_schema(kind, event) for topic in CATALOGUE for kind, event in event_classes(topic).items()}


def asyncapi() -> dict[str, Any]:
    """All topics and what stands on them, as AsyncAPI 3."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Tessera events",
            "version": "1.0.0",
            "description": "Facts of the loyalty programme: CloudEvents 1.0 in structured JSON. Unknown fields are to "
            "be dropped, unknown types skipped. Records come at least once; an event's id tells them apart.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/cloudevents+json",
        "channels": {_channel_id(topic): _channel(topic) for topic in CATALOGUE},
        "operations": {f"read-{_channel_id(topic)}": _operation(topic) for topic in CATALOGUE},
        "components": {
            "messages": {
                kind: _message(kind, event) for topic in CATALOGUE for kind, event in event_classes(topic).items()
            },
            "messageTraits": {"record": {"headers": _HEADERS}},
        },
    }


def documents() -> dict[str, str]:
    """Every file of ``docs/events`` by its name."""
    files: dict[str, Mapping[str, Any]] = {f"{kind}.json": schema for kind, schema in schemas().items()}
    files[ASYNCAPI] = asyncapi()
    return {name: json.dumps(document, indent=2, ensure_ascii=False) + "\n" for name, document in files.items()}


def find_breaks(folder: Path = FOLDER) -> list[str]:
    """What the models would break of the schemas in the folder, one sentence each."""
    now = schemas()
    breaks: list[str] = []
    for path in sorted(folder.glob("loyalty.*.json")):
        kind = path.stem
        if kind not in now:
            breaks.append(f"{kind}: the type was taken away")
            continue
        committed = cast("dict[str, Any]", json.loads(path.read_text()))
        breaks += [f"{kind}: {change}" for change in breaking_changes(committed, now[kind])]
    return breaks


def write(folder: Path = FOLDER) -> list[str]:
    """Write what changed; returns the names of those files.

    Raises:
        SystemExit: a change is breaking; nothing was written.
    """
    if breaks := find_breaks(folder):
        told = "\n".join(f"  {change}" for change in breaks)
        raise SystemExit(f"These changes break readers or stored events:\n{told}\nMake a new type (….v2) instead.")
    folder.mkdir(parents=True, exist_ok=True)
    changed = []
    for name, text in documents().items():
        path = folder / name
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
            changed.append(name)
    return changed


def _channel_id(topic: TopicEvents[Any]) -> str:
    return topic.topic.removeprefix("loyalty.")


def _channel(topic: TopicEvents[Any]) -> dict[str, Any]:
    return {
        "address": topic.topic,
        "description": topic.about,
        "messages": {kind: {"$ref": f"#/components/messages/{kind}"} for kind in event_classes(topic)},
    }


def _operation(topic: TopicEvents[Any]) -> dict[str, Any]:
    channel = f"#/channels/{_channel_id(topic)}"
    return {
        "action": "receive",
        "summary": topic.about,
        "channel": {"$ref": channel},
        "messages": [{"$ref": f"{channel}/messages/{kind}"} for kind in event_classes(topic)],
    }


def _message(kind: str, event: type[Event]) -> dict[str, Any]:
    return {
        "name": kind,
        "title": event.__name__,
        "summary": (event.__doc__ or "").strip().splitlines()[0],
        "contentType": "application/cloudevents+json",
        "traits": [{"$ref": "#/components/messageTraits/record"}],
        "payload": {
            "schemaFormat": "application/schema+json;version=draft-2020-12",
            "schema": {"$ref": f"./{kind}.json"},
        },
        "bindings": {
            "kafka": {
                "key": {
                    "type": "string",
                    "description": "The member's id, else the identifier's hash, else what the event is about.",
                }
            }
        },
    }


if __name__ == "__main__":
    for written in write():
        sys.stdout.write(f"{written}\n")
