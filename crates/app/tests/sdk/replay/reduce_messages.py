"""What an answer of Anthropic's messages holds."""

from .shape import NOT_OF_THE_DIALECT, Answer, Candidate, Usage, arguments, count, ended

STOPS = {
    "end_turn": "stop", "stop_sequence": "stop", "tool_use": "tool_calls", "max_tokens": "length",
    "model_context_window_exceeded": "length", "refusal": "content_filter", "pause_turn": "other",
}  # fmt: skip


def whole(body):
    """Reduces a whole answer."""
    if body.get("type") == "error" or body.get("error"):
        return Answer(error=str(body.get("error")))
    if body.get("type") != "message":
        return Answer(error=NOT_OF_THE_DIALECT)
    one = Candidate()
    for block in body.get("content") or []:
        kind = block.get("type")
        if kind == "text":
            one.text += block.get("text") or ""
        elif kind == "thinking":
            one.reasoning += block.get("thinking") or ""
        elif kind == "tool_use":
            one.calls.append((block.get("name"), arguments(block.get("input"))))
    one.stop = ended(body.get("stop_reason"), STOPS, one.calls)
    return Answer([one], usage(body.get("usage")))


def stream(events):
    """Reduces a stream by putting the message together first."""
    message, blocks, pieces = {}, {}, {}
    for event in events:
        kind = event.get("type")
        if kind == "error" or event.get("error"):
            return Answer(error=str(event.get("error")))
        if kind == "message":
            return whole(event)
        if kind == "message_start":
            message = dict(event["message"])
        elif kind == "content_block_start":
            blocks[event["index"]] = dict(event["content_block"])
        elif kind == "content_block_delta":
            delta = event["delta"]
            block = blocks.setdefault(event["index"], {})
            for name in ("text", "thinking"):
                if delta.get("type") == f"{name}_delta":
                    block[name] = (block.get(name) or "") + (delta.get(name) or "")
            if delta.get("type") == "input_json_delta":
                pieces[event["index"]] = pieces.get(event["index"], "") + (delta.get("partial_json") or "")
        elif kind == "message_delta":
            message["stop_reason"] = event["delta"].get("stop_reason") or message.get("stop_reason")
            # The counts at the end are of the whole message, not on top of those at its start.
            said = {name: value for name, value in (event.get("usage") or {}).items() if value is not None}
            message["usage"] = {**(message.get("usage") or {}), **said}
    for at, text in pieces.items():
        if text:
            blocks[at]["input"] = text
    return whole({**message, "content": [blocks[at] for at in sorted(blocks)]})


def usage(told):
    """Reads usage; what a cache gave and took stands outside of `input_tokens`."""
    if not told:
        return None
    cached = count(told.get("cache_read_input_tokens"))
    written = count(told.get("cache_creation_input_tokens"))
    thought = (told.get("output_tokens_details") or {}).get("thinking_tokens")
    return Usage(count(told.get("input_tokens")) + cached + written, count(told.get("output_tokens")), cached, count(thought))
