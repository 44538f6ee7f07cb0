"""Members as a benchmark's clients enrol them, over HTTP."""

import json
import uuid

from cli.bench.http_load import json_post


def enrolment(token: str, number: int) -> bytes:
    """The request that enrols a member with the card of this number."""
    body = {
        "given_name": "Ada",
        "family_name": "Lovelace",
        "email": f"member-{number}@example.com",
        "language": "en-US",
        "identifiers": [{"type": "card", "value": f"{number:012d}"}],
    }
    return json_post("/v1/members", token, json.dumps(body).encode(), str(uuid.uuid4()))
