"""What an answer of Cohere's v2 chat holds. Its plan before tool calls counts as thoughts."""

from .shape import Answer, Candidate, Usage, arguments, count, ended

STOPS = {
    "complete": "stop", "stop_sequence": "stop", "max_tokens": "length", "tool_call": "tool_calls",
    "error_toxic": "content_filter", "error_limit": "length",
}  # fmt: skip


def whole(body):
    """Reduces a whole answer."""
    message = body.get("message")
    if not isinstance(message, dict):
        return Answer(error=str(body))
    if str(body.get("finish_reason")).upper() == "ERROR":
        return Answer(error=str(body.get("error_type") or body))
    one = Candidate()
    for part in message.get("content") or []:
        one.text += part.get("text") or ""
        one.reasoning += part.get("thinking") or ""
    one.reasoning += message.get("tool_plan") or ""
    for call in message.get("tool_calls") or []:
        one.calls.append((call["function"].get("name"), arguments(call["function"].get("arguments"))))
    one.stop = ended(body.get("finish_reason"), STOPS, one.calls)
    return Answer([one], usage(body.get("usage")))


def stream(events):
    """Reduces a stream by putting the message together first."""
    parts, calls, plan, last = {}, {}, "", {}
    for event in events:
        kind = event.get("type")
        at, delta = event.get("index"), event.get("delta") or {}
        message = delta.get("message") or {}
        if kind in ("content-start", "content-delta"):
            part = parts.setdefault(at, {"text": "", "thinking": ""})
            for name in part:
                part[name] += (message.get("content") or {}).get(name) or ""
        elif kind == "tool-plan-delta":
            plan += message.get("tool_plan") or ""
        elif kind in ("tool-call-start", "tool-call-delta"):
            piece = (message.get("tool_calls") or {}).get("function") or {}
            call = calls.setdefault(at, {"name": "", "arguments": ""})
            for name in call:
                call[name] += piece.get(name) or ""
        elif kind == "message-end":
            last = delta
    if last.get("error") or str(last.get("finish_reason")).upper() == "ERROR":
        return Answer(error=str(last))
    message = {
        "content": [parts[at] for at in sorted(parts)],
        "tool_plan": plan,
        "tool_calls": [{"function": calls[at]} for at in sorted(calls)],
    }
    return whole({"message": message, **last})


def usage(told):
    """Reads usage: the tokens that were read and written, not those that are billed."""
    tokens = (told or {}).get("tokens") or (told or {}).get("billed_units")
    if not tokens:
        return None
    return Usage(
        # Pictures are counted beside the text.
        count(tokens.get("input_tokens")) + count(tokens.get("image_tokens")),
        count(tokens.get("output_tokens")),
        count(told.get("cached_tokens")),
        count(tokens.get("reasoning_tokens")),
    )
