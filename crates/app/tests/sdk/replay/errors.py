"""Recorded errors: which exception each must raise in each SDK, from the documented table alone."""

import base64
import json
import re

import anthropic
import openai
from google import genai

from . import records

# The gateway's documented codes and the status of each.
STATUSES = {
    "invalid_request": 400, "context_length_exceeded": 400, "content_policy_violation": 400, "unsupported_parameter": 400,
    "provider_authentication_failed": 502, "insufficient_quota": 402, "provider_model_unavailable": 502,
    "rate_limit_exceeded": 429, "provider_overloaded": 503, "provider_error": 502, "stream_interrupted": 502,
    "provider_permission_denied": 502, "invalid_model_output": 502,
}  # fmt: skip

# What each class of recorded errors may be called. More than one where the class is broader than
# the code: a refused permission is the key's or the model's, a bad parameter is a bad request.
CODES = {
    "authentication": {"provider_authentication_failed"},
    "content_filter": {"content_policy_violation"},
    "context_length_exceeded": {"context_length_exceeded"},
    "insufficient_quota": {"insufficient_quota"},
    "invalid_request": {"invalid_request", "unsupported_parameter"},
    "model_not_found": {"provider_model_unavailable"},
    "other": {"provider_error"},
    "overloaded": {"provider_overloaded"},
    "permission": {"provider_permission_denied"},
    "rate_limit": {"rate_limit_exceeded"},
    "server_error": {"provider_error", "provider_overloaded"},
    "tool_call_invalid": {"invalid_model_output"},
    "unsupported_parameter": {"unsupported_parameter", "invalid_request"},
}

# Where the label that came with a recording is wrong: it was guessed from the status alone.
RELABELLED = (
    (r"Malformed input request", "invalid_request"),  # Bedrock: a field, not the model.
    (r"Not found: cache content|Invalid CachedContent", "invalid_request"),  # The cache, not the model.
    (r"google.rpc.RetryInfo", "rate_limit"),  # A quota that is full for seconds is a rate.
    (r"Token limit reached", "invalid_request"),  # OpenRouter's own code for it is 400.
    (r"User location is not supported", "permission"),
    (r"\$grpcMessage.*FAILED_PRECONDITION", "permission"),  # The same refusal with its text cut off.
)

# The dialect in which a provider's errors are replayed where the recording is of another API.
SPOKEN = {
    "anthropic": "messages", "gemini": "generateContent", "vertex": "generateContent", "bedrock": "converse",
    "cohere": "cohere-chat",
}  # fmt: skip


def cases(corpus, clients, served):
    """Makes the cases and adds what is served for them."""
    made = []
    for number, entry in enumerate(load(corpus)):
        identity = f"error{number}"
        api = entry.get("api") if entry.get("api") in records.DIALECTS else SPOKEN.get(entry["provider"], "chat")
        if entry["body"].lstrip().startswith("{") and '"response.failed"' in entry["body"] or "server_is_overloaded" in entry["body"]:
            api = "responses"
        served[identity] = replayed(entry, api)
        for client in clients:
            for stream in [True] if entry["mid_stream"] else [False, True]:
                shape = f"{client}{'-stream' if stream else ''}"
                mode = f"{'event' if entry['mid_stream'] else 'whole'}.{shape}"
                made.append({
                    "kind": "error", "id": identity, "mode": "errors", "client": client, "stream": stream,
                    "dialect": records.DIALECTS[api][0], "class": label(entry), "mid_stream": entry["mid_stream"],
                    # One of its own: a credential that was refused is not asked with again.
                    "provider": f"{identity}-{api}-{shape}".lower(), "family": records.family(entry["provider"]),
                    "model": f"{identity}@{mode}", "row": f"{entry['provider']} {entry.get('api') or 'reported'}",
                    "columns": ["errors"], "body": entry["body"][:200],
                })  # fmt: skip
    return made


def label(entry):
    """Returns the class of an error."""
    right = (cls for words, cls in RELABELLED if re.search(words, entry["body"], re.DOTALL))
    return next(right, entry["cls"])


def load(corpus):
    """Reads the recorded and the reported errors."""
    for name in ("recorded_public", "reported"):
        with open(f"{corpus}/errors/{name}.jsonl", encoding="utf-8") as lines:
            yield from map(json.loads, lines)


def replayed(entry, api):
    """Returns an error as a record that can be served."""
    body, encoding = entry["body"], entry.get("encoding", "utf-8")
    if entry["mid_stream"] and encoding == "utf-8":
        body, encoding = framed(body, api)
    return {
        "id": "", "status": entry["status"], "response_headers": entry["headers"], "response_body": body,
        "response_body_encoding": encoding, "is_stream": entry["mid_stream"], "api": api,
    }  # fmt: skip


def framed(body, api):
    """Puts a stream's error into a frame; of a recorded end the event that was cut is taken off."""
    if not body.lstrip().startswith("{"):
        start = re.search(r"(?:^|\n)(?:event|data|:)", body)
        return body[start.start() :].lstrip("\n"), "utf-8"
    if api == "converse":
        ((kind, payload),) = json.loads(body).items()
        return base64.b64encode(exception_frame(kind, json.dumps(payload))).decode(), "base64"
    kind = json.loads(body).get("type") or "error"
    return f"event: {kind}\ndata: {json.dumps(json.loads(body))}\n\n", "utf-8"


def exception_frame(kind, payload):
    """Returns an exception as a frame of an AWS event stream."""
    import zlib

    headers = b""
    for name, value in ((":message-type", "exception"), (":exception-type", kind), (":content-type", "application/json")):
        headers += bytes([len(name)]) + name.encode() + b"\x07" + len(value).to_bytes(2, "big") + value.encode()
    payload = payload.encode()
    start = (16 + len(headers) + len(payload)).to_bytes(4, "big") + len(headers).to_bytes(4, "big")
    frame = start + zlib.crc32(start).to_bytes(4, "big") + headers + payload
    return frame + zlib.crc32(frame).to_bytes(4, "big")


def judge(case, state):
    """Judges the exception that an SDK raises."""
    allowed = CODES[case["class"]]
    try:
        got = state["sdks"][case["client"]].ask(f"{case['provider']}/{case['model']}", case["stream"], False)
    except (openai.APIError, anthropic.APIError, genai.errors.APIError) as error:
        raised, said = error, code(error)
    else:
        return "failed", f"{case['class']}: nothing was raised", f"got {got}"[:400]
    detail = f"{type(raised).__name__} {said} for {case['body']!r}"
    if said not in allowed:
        return "failed", f"{case['class']} is called {said}", detail
    if not right_class(raised, STATUSES[said], case["mid_stream"]):
        return "failed", f"{case['class']} raises {type(raised).__name__}", detail
    return "passed", None, None


def code(error):
    """Returns the gateway's code from where the dialect keeps it."""
    if isinstance(error, openai.APIError):
        return error.code or (error.body or {}).get("code")
    if isinstance(error, anthropic.APIError):
        return ((error.body or {}).get("error") or {}).get("code") if isinstance(error.body, dict) else None
    details = (error.details or {}).get("error", {}).get("details") or [{}]
    return next((detail["metadata"].get("code") for detail in details if "metadata" in detail), None)


OPENAI = {
    400: openai.BadRequestError, 401: openai.AuthenticationError, 403: openai.PermissionDeniedError,
    404: openai.NotFoundError, 429: openai.RateLimitError,
}  # fmt: skip
ANTHROPIC = {
    400: anthropic.BadRequestError, 401: anthropic.AuthenticationError, 403: anthropic.PermissionDeniedError,
    402: anthropic.PaymentRequiredError, 404: anthropic.NotFoundError, 429: anthropic.RateLimitError,
}  # fmt: skip


def right_class(error, status, mid_stream):
    """Whether an exception is the one its SDK has for a status. Once a stream has begun there is no
    status: OpenAI's SDK raises the common class then, the others go by what the event says."""
    if isinstance(error, genai.errors.APIError):
        wanted = genai.errors.ClientError if status < 500 else genai.errors.ServerError
        return isinstance(error, wanted) and error.code == status
    table, common, server = (
        (OPENAI, openai.APIStatusError, openai.InternalServerError)
        if isinstance(error, openai.APIError)
        else (ANTHROPIC, anthropic.APIStatusError, anthropic.InternalServerError)
    )
    if mid_stream and type(error) in (openai.APIError, anthropic.APIStatusError):
        return True
    wanted = table.get(status, common) if status < 500 else server
    return isinstance(error, wanted) and error.status_code == status


def asked_once(case, server):
    """Says so when a provider was asked again after an error."""
    times = server.times[case["model"]]
    return None if times == 1 else ("failed", f"the provider was asked {times} times", case["model"])
