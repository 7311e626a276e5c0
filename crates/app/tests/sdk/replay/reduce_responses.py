"""What an answer of OpenAI's responses holds."""

from .shape import NOT_OF_THE_DIALECT, Answer, Candidate, Usage, arguments, count

# Why an answer is incomplete, and what that means.
CUT_SHORT = {"max_output_tokens": "length", "content_filter": "content_filter"}


def whole(body):
    """Reduces a whole answer."""
    if body.get("error") or body.get("status") == "failed":
        return Answer(error=str(body.get("error")))
    one = Candidate()
    for item in body.get("output") or []:
        add(one, item)
    why = (body.get("incomplete_details") or {}).get("reason")
    if body.get("status") in ("queued", "in_progress"):
        one.stop = None
    elif body.get("status") == "incomplete":
        # Of the two reasons, only the filter is ever left to be guessed at by its text.
        one.stop = CUT_SHORT.get(why, "other" if why else "length")
    else:
        one.stop = "tool_calls" if one.calls else "stop"
    return Answer([one], usage(body.get("usage")))


def stream(events):
    """Reduces a stream: the finished items, and the last word of the answer about itself."""
    items, last = {}, {}
    for event in events:
        kind = event.get("type") or ""
        if kind == "error" or event.get("error"):
            return Answer(error=str(event.get("error") or event))
        if kind == "response.output_item.done":
            items[event.get("output_index", len(items))] = event["item"]
        elif kind in ("response.completed", "response.incomplete", "response.failed", "response.done"):
            last = event["response"]
    if not last and not items:
        return Answer(error=NOT_OF_THE_DIALECT)
    return whole({**last, "output": last.get("output") or [items[at] for at in sorted(items)]})


def add(one, item):
    """Adds an item of the output."""
    kind = item.get("type")
    if kind == "message":
        for part in item.get("content") or []:
            one.text += part.get("text") or part.get("refusal") or ""
            one.refused |= part.get("type") == "refusal"
    elif kind == "reasoning":
        # A host sends a summary or the thoughts themselves; with both, the thoughts are the fuller.
        # The parts of a summary are paragraphs, each with its heading.
        full = "".join(part.get("text") or "" for part in item.get("content") or [])
        one.reasoning += full or "\n\n".join(part.get("text") or "" for part in item.get("summary") or [])
    elif kind == "function_call":
        one.calls.append((item.get("name"), arguments(item.get("arguments"))))
    elif kind == "custom_tool_call":
        one.calls.append((item.get("name"), item.get("input") or ""))


def usage(told):
    """Reads usage."""
    if not told:
        return None
    into, out = told.get("input_tokens_details") or {}, told.get("output_tokens_details") or {}
    return Usage(
        count(told.get("input_tokens")),
        count(told.get("output_tokens")),
        count(into.get("cached_tokens")),
        count(out.get("reasoning_tokens")),
    )
