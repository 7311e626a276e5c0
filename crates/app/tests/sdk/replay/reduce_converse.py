"""What an answer of Amazon Bedrock's converse holds."""

from .shape import Answer, Candidate, Usage, arguments, count, ended

STOPS = {
    "end_turn": "stop", "stop_sequence": "stop", "tool_use": "tool_calls", "max_tokens": "length",
    "model_context_window_exceeded": "length", "guardrail_intervened": "content_filter", "content_filtered": "content_filter",
}  # fmt: skip


def whole(body):
    """Reduces a whole answer."""
    message = (body.get("output") or {}).get("message")
    if message is None:
        return Answer(error=str(body))
    one = Candidate()
    for block in message.get("content") or []:
        if "text" in block:
            one.text += block["text"]
        elif "citationsContent" in block:
            one.text += "".join(part.get("text") or "" for part in block["citationsContent"].get("content") or [])
        elif "toolUse" in block and block["toolUse"].get("type") == "server_tool_use":
            continue  # Run by the provider itself.
        elif "toolUse" in block:
            one.calls.append((block["toolUse"].get("name"), arguments(block["toolUse"].get("input"))))
        elif "reasoningContent" in block:
            one.reasoning += (block["reasoningContent"].get("reasoningText") or {}).get("text") or ""
    one.stop = ended(body.get("stopReason"), STOPS, one.calls)
    return Answer([one], usage(body.get("usage")))


def stream(frames):
    """Reduces a stream's frames; a text block may come without a start."""
    blocks, stop, last = {}, None, None
    for headers, payload in frames:
        if headers.get(":message-type") != "event":
            return Answer(error=str(payload))
        kind, at = headers.get(":event-type"), payload.get("contentBlockIndex")
        if kind == "contentBlockStart":
            blocks[at] = {name: dict(value) for name, value in payload["start"].items()}
            for block in blocks[at].values():
                block["input"] = ""
        elif kind == "contentBlockDelta":
            block, delta = blocks.setdefault(at, {}), payload["delta"]
            if "text" in delta:
                block["text"] = block.get("text", "") + delta["text"]
            if "toolUse" in delta:
                block["toolUse"]["input"] += delta["toolUse"].get("input") or ""
            if "text" in (delta.get("reasoningContent") or {}):
                inner = block.setdefault("reasoningContent", {}).setdefault("reasoningText", {"text": ""})
                inner["text"] += delta["reasoningContent"]["text"]
        elif kind == "messageStop":
            stop = payload.get("stopReason")
        elif kind == "metadata":
            last = payload.get("usage")
    content = [blocks[at] for at in sorted(blocks)]
    return whole({"output": {"message": {"content": content}}, "stopReason": stop, "usage": last})


def usage(told):
    """Reads usage; what a cache gave and took stands outside of `inputTokens`."""
    if not told:
        return None
    cached, written = count(told.get("cacheReadInputTokens")), count(told.get("cacheWriteInputTokens"))
    return Usage(count(told.get("inputTokens")) + cached + written, count(told.get("outputTokens")), cached, 0)
