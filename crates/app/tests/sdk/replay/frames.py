"""Cuts recorded bodies into their JSON payloads, in every framing the recordings have."""

import json
import re


def whole(body):
    """Reads a body that is one JSON value, whatever blank lines stand before it."""
    return json.loads(body.decode("utf-8-sig").strip())


def sse(body):
    """Yields `(event, data)` of every event; an end of the body ends an event too. Google ends a
    stream that fails with an error that is no event but bare JSON: it counts as one."""
    text = body.decode("utf-8-sig", "replace")
    event, data, bare = None, [], []
    for line in re.split("\r\n|\n|\r", text) + [""]:
        if not line:
            if data or bare:
                yield event, "\n".join(data or bare)
            event, data, bare = None, [], []
        elif not line.startswith(":"):
            name, _, value = line.partition(":")
            value = value[1:] if value.startswith(" ") else value
            if name == "event":
                event = value
            elif name == "data":
                data.append(value)
            elif name not in ("id", "retry"):
                bare.append(line)


def payloads(body, framing):
    """Yields the JSON payload of every event of a stream; `[DONE]` and its like are none."""
    if framing == "sse":
        for event, data in sse(body):
            value = parsed(data)
            if value is not None:
                if event == "error" and isinstance(value, dict):
                    value.setdefault("error", value.get("error") or value)
                yield value
    elif framing == "eventstream":
        for headers, payload in eventstream(body):
            yield headers, json.loads(payload) if payload else {}
    elif body.lstrip().startswith(b"["):
        yield from whole(body)
    else:
        decoder, text, at = json.JSONDecoder(), body.decode("utf-8-sig").strip(), 0
        while at < len(text):
            value, at = decoder.raw_decode(text, at)
            yield value
            at += len(text[at:]) - len(text[at:].lstrip())


def parsed(data):
    try:
        value = json.loads(data)
    except ValueError:
        return None
    return value if isinstance(value, (dict, list)) else None


def eventstream(body):
    """Yields headers and payload of every frame of an AWS event stream; only text headers are kept."""
    at = 0
    while at + 16 <= len(body):
        total = int.from_bytes(body[at : at + 4], "big")
        head = int.from_bytes(body[at + 4 : at + 8], "big")
        headers, here, end = {}, at + 12, at + 12 + head
        while here < end:
            size = body[here]
            name = body[here + 1 : here + 1 + size].decode()
            here += 1 + size
            kind = body[here]
            here += 1
            if kind in (6, 7):
                length = int.from_bytes(body[here : here + 2], "big")
                headers[name] = body[here + 2 : here + 2 + length].decode("utf-8", "replace")
                here += 2 + length
            else:
                here += {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}[kind]
        yield headers, body[end : at + total - 4]
        at += total
