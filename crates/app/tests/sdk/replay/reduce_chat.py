"""What an OpenAI chat answer holds, in the spellings of every host that speaks the dialect."""

from .shape import NOT_OF_THE_DIALECT, Answer, Candidate, Usage, arguments, count, ended

STOPS = {
    "stop": "stop", "eos": "stop", "end_turn": "stop", "complete": "stop", "stop_sequence": "stop",
    "length": "length", "max_tokens": "length", "model_length": "length",
    "tool_calls": "tool_calls", "tool_call": "tool_calls", "tool_use": "tool_calls", "function_call": "tool_calls",
    "content_filter": "content_filter", "refusal": "content_filter",
}  # fmt: skip


def whole(body):
    """Reduces a whole answer."""
    choices = body.get("choices") or []
    error = body.get("error") or (choices and choices[0].get("error"))
    if error:
        return Answer(error=str(error))
    if not choices:
        return Answer(error=NOT_OF_THE_DIALECT)
    candidates = [candidate([choice.get("message") or {}], choice.get("finish_reason")) for choice in choices]
    return Answer(candidates, usage(body))


def stream(chunks):
    """Reduces a stream's chunks."""
    messages, stops, last = {}, {}, None
    for chunk in chunks:
        choices = chunk.get("choices") or []
        error = chunk.get("error") or (choices and choices[0].get("error"))
        if error:
            return Answer(error=str(error))
        last = usage(chunk) or last
        for choice in choices:
            at = choice.get("index") or 0
            # Perplexity repeats the whole message at the end; it is not another piece of it.
            closing = chunk.get("object") == "chat.completion.done"
            if choice.get("delta") and not closing:
                messages.setdefault(at, []).append(choice["delta"])
            messages.setdefault(at, [])
            if choice.get("finish_reason") not in (None, "", "null"):
                stops.setdefault(at, choice["finish_reason"])
    return Answer([candidate(messages[at], stops.get(at)) for at in sorted(messages)], last)


def candidate(deltas, stop):
    """Joins the pieces of a message; a whole message is one piece."""
    text, refusal, thoughts, calls = "", "", "", []
    # Snowflake sends the old form of a call beside the new one, and empty.
    old_form = any((delta.get("function_call") or {}).get("name") for delta in deltas)
    for delta in deltas:
        said, thought = content(delta.get("content"))
        text += said
        refusal += delta.get("refusal") or ""
        thoughts += thought or delta.get("reasoning_content") or delta.get("reasoning") or details(delta)
        for call in delta.get("tool_calls") or []:
            join(calls, call)
        if old_form and delta.get("function_call"):
            join(calls, {"index": 0, "function": delta["function_call"]})
    called = [finished(call) for call in calls]
    return Candidate(text + refusal, thoughts, bool(refusal), called, ended(stop, STOPS, called))


def content(value):
    """Splits content into text and thoughts; Mistral sends both in one list."""
    if not isinstance(value, list):
        return value or "", ""
    text = thoughts = ""
    for part in value:
        if part.get("type") == "thinking":
            inner = part.get("thinking")
            thoughts += inner if isinstance(inner, str) else "".join(piece.get("text") or "" for piece in inner or [])
        elif part.get("type") in ("text", "output_text"):
            text += part.get("text") or ""
    return text, thoughts


def details(delta):
    """Returns the thoughts of OpenRouter's detailed form, where no plain form stands beside it."""
    return "".join(part.get("text") or part.get("summary") or "" for part in delta.get("reasoning_details") or [])


def join(calls, piece):
    """Adds a piece of a call: a new id under a known index is a new call, and so is a missing index
    with an id; hosts number badly."""
    index, known = piece.get("index"), None
    called, own = piece.get("id") or None, piece.get("function") or piece.get("custom") or {}
    for call in reversed(calls):
        if (index is None or call["index"] == index) and (called is None or call["id"] in (None, called)):
            known = call
            break
    if known is None:
        known = {"index": index, "id": called, "name": "", "arguments": "", "custom": not piece.get("function") and "custom" in piece}
        calls.append(known)
    known["id"] = known["id"] or called
    known["name"] = known["name"] or own.get("name") or ""
    given = own.get("arguments", own.get("input"))
    if isinstance(given, str):
        known["arguments"] += given
    elif given is not None:
        known["arguments"] = given


def finished(call):
    """Returns name and arguments; a free-text tool's input is text and stays so."""
    return call["name"], call["arguments"] if call["custom"] else arguments(call["arguments"])


def usage(body):
    """Reads usage from wherever hosts put it."""
    told = body.get("usage") or (body.get("x_groq") or {}).get("usage")
    if not isinstance(told, dict) or not ("prompt_tokens" in told or "completion_tokens" in told):
        return None
    prompt, completion = count(told.get("prompt_tokens")), count(told.get("completion_tokens"))
    into, out = told.get("prompt_tokens_details") or {}, told.get("completion_tokens_details") or {}
    reasoning = count(out.get("reasoning_tokens"))
    cached = next(
        (place[name] for place, name in (
            (into, "cached_tokens"), (told, "prompt_cache_hit_tokens"), (told, "cached_tokens"), (told, "num_cached_tokens"),
        ) if isinstance(place.get(name), int)), 0,
    )  # fmt: skip
    # xAI and Gemini leave reasoning out of the completion, Mistral audio out of the prompt: the total
    # tells.
    missing = count(told.get("total_tokens")) - prompt - completion
    if reasoning > completion:
        completion += reasoning
    elif missing > 0 and missing == count(into.get("audio_tokens")):
        prompt += missing
    elif missing > 0:
        completion += missing
    return Usage(prompt, completion, cached, reasoning)
