"""The recordings: read in place, sorted into those the gateway is to answer, and reduced."""

import base64
import collections
import glob
import json
import random
import re

from . import frames, reduce_chat, reduce_cohere, reduce_converse, reduce_gemini, reduce_messages, reduce_ollama, reduce_responses

# Per recorded API: the gateway's name for the dialect, and who says what its answers hold.
DIALECTS = {
    "chat": ("openai_chat", reduce_chat),
    "responses": ("openai_responses", reduce_responses),
    "messages": ("anthropic_messages", reduce_messages),
    "generateContent": ("gemini", reduce_gemini),
    "converse": ("bedrock_converse", reduce_converse),
    "cohere-chat": ("cohere_v2", reduce_cohere),
    "ollama-chat": ("ollama", reduce_ollama),
}

# Whose errors a recorded provider answers with, in the gateway's words.
FAMILIES = {
    "vertex": "vertex", "vertex-anthropic": "vertex", "azure-openai": "azure", "azure-ai": "azure",
    "bedrock-openai": "bedrock", "gemini": "google", "gemini-openai": "google", "zai": "zai",
}  # fmt: skip


def load(folder):
    """Reads every recording of a folder, by id."""
    found = {}
    for name in sorted(glob.glob(f"{folder}/*.jsonl")):
        with open(name, encoding="utf-8") as lines:
            for line in lines:
                record = json.loads(line)
                found[record["id"]] = record
    return found


def answers(records):
    """Splits the recordings into successes of a dialect spoken here, and what is left out by reason."""
    kept, left = [], collections.Counter()
    for record in records.values():
        if record["api"] not in DIALECTS:
            left[f"another API: {record['api']}"] += 1
        elif record["is_error"] or record["status"] != 200:
            left["an error (compared apart)"] += 1
        elif record["api"] == "cohere-chat" and "/v1/" in record["path"]:
            left["Cohere's first version, which no provider record speaks"] += 1
        elif record["is_stream"] and record["api"] == "messages" and framing(record) == "json":
            left["a stream was asked for, and the recording is one whole message"] += 1
        elif re.search(r'"result":\s*"\.\.\."', record["response_body"]):
            left["the recording's picture is left out"] += 1
        elif record["api"] == "chat" and re.search(r'"function_call":\s*{[^{}]*"name":\s*"[^"]', record["response_body"]):
            left["a call in the form that tools replaced, which only requests with `functions` get"] += 1
        elif not readable(record):
            left["the recording itself is broken off or is no JSON"] += 1
        else:
            kept.append(record)
    return kept, left


def body(record):
    """Returns the recorded bytes."""
    text = record["response_body"]
    if record["response_body_encoding"] == "base64":
        return base64.b64decode(text)
    return text.encode("utf-8", "surrogatepass")


def framing(record):
    """Returns how the body of a stream is framed, looking at it rather than at what was noted."""
    if record["response_body_encoding"] == "base64":
        return "eventstream"
    start = body(record).lstrip(b"\xef\xbb\xbf \r\n\t")[:1]
    return "json" if start in (b"{", b"[") else "sse"


def reduced(record):
    """Returns what the recording holds."""
    _, reducer = DIALECTS[record["api"]]
    if record["is_stream"]:
        return reducer.stream(frames.payloads(body(record), framing(record)))
    return reducer.whole(frames.whole(body(record)))


def readable(record):
    try:
        if record["is_stream"]:
            return any(True for _ in frames.payloads(body(record), framing(record)))
        return isinstance(frames.whole(body(record)), (dict, list))
    except ValueError:
        return False


def sample(records, size, seed):
    """Draws so many recordings that every stratum has its share and none is missing."""
    strata = collections.defaultdict(list)
    for record in records:
        key = tuple(record[name] for name in ("provider", "api", "is_stream", "has_tools", "has_reasoning"))
        strata[key].append(record)
    drawing = random.Random(seed)
    for stratum in strata.values():
        drawing.shuffle(stratum)
    drawn, turn = [], 0
    # One of each, then in proportion: a stratum gives its next while it is behind its share.
    while len(drawn) < min(size, len(records)):
        for _, stratum in sorted(strata.items()):
            if turn < len(stratum) and (turn == 0 or turn <= len(stratum) * size / len(records)):
                drawn.append(stratum[turn])
        turn += 1
        if turn > size:
            break
    return drawn


def provider(record):
    """Returns the id of the provider that a recording is reached by."""
    return f"r-{record['provider']}-{record['api']}".lower()


def family(name):
    """Returns whose errors a recorded provider answers with."""
    return FAMILIES.get(name, name)
