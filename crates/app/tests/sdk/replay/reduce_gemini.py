"""What an answer of Google's generateContent holds."""

from .shape import NO_END, NOT_OF_THE_DIALECT, Answer, Candidate, Usage, count, ended

STOPS = {
    "stop": "stop", "1": "stop", "max_tokens": "length", "2": "length",
    "safety": "content_filter", "3": "content_filter", "recitation": "content_filter", "4": "content_filter",
    "blocklist": "content_filter", "prohibited_content": "content_filter", "spii": "content_filter",
    "image_safety": "content_filter", "image_prohibited_content": "content_filter", "image_recitation": "content_filter",
    "language": "content_filter", "model_armor": "content_filter",
}  # fmt: skip


def whole(body):
    """Reduces a whole answer, which is one chunk."""
    return joined([body])


def stream(chunks):
    """Reduces a stream's chunks; Google ends every stream with a reason."""
    chunks = list(chunks)
    answer = joined(chunks)
    last = (candidate for chunk in chunks if isinstance(chunk, dict) for candidate in chunk.get("candidates") or [])
    if answer.candidates and all(candidate.get("finishReason") is None for candidate in last):
        return Answer(error=NO_END)
    return answer


def joined(chunks):
    """Joins chunks."""
    parts, stops, blocked, last = {}, {}, None, None
    for chunk in chunks:
        if isinstance(chunk, list):
            chunk = chunk[0] if chunk else {}
        if chunk.get("error"):
            return Answer(error=str(chunk["error"]))
        blocked = blocked or (chunk.get("promptFeedback") or {}).get("blockReason")
        last = usage(chunk.get("usageMetadata")) or last
        for at, candidate in enumerate(chunk.get("candidates") or []):
            at = candidate.get("index") or at
            parts.setdefault(at, []).extend((candidate.get("content") or {}).get("parts") or [])
            if candidate.get("finishReason") is not None:
                stops[at] = candidate["finishReason"]
    candidates = [reduced(parts[at], stops.get(at)) for at in sorted(parts)]
    if not candidates and blocked:
        return Answer(error=f"the prompt was blocked: {blocked}")
    if not candidates:
        return Answer(error=NOT_OF_THE_DIALECT)
    return Answer(candidates, last)


def reduced(parts, stop):
    """Reduces the parts of one candidate."""
    one, open_call = Candidate(), None
    for part in parts:
        text = part.get("text")
        if text and part.get("thought"):
            one.reasoning += text
        elif text:
            one.text += text
        call = part.get("functionCall")
        if call is None:
            continue
        # A call may come in pieces: its name first, then values by their path, until it goes on no more.
        if open_call is not None and not call.get("name"):
            target = open_call
        else:
            target = (call.get("name"), dict(call.get("args") or {}))
            one.calls.append(target)
        for piece in call.get("partialArgs") or []:
            put(target[1], piece)
        open_call = target if call.get("willContinue") else None
    one.stop = ended(stop, STOPS, one.calls)
    return one


def put(arguments, piece):
    """Puts a value where its path says: text is joined to what is there."""
    steps = [int(step) if step.isdigit() else step for step in path(piece.get("jsonPath") or "$")]
    value = next((piece[name] for name in ("stringValue", "numberValue", "boolValue") if name in piece), None)
    here = arguments
    for step, after in zip(steps, steps[1:]):
        empty = [] if isinstance(after, int) else {}
        if isinstance(here, list):
            while len(here) <= step:
                here.append(type(empty)())
            here = here[step]
        else:
            here = here.setdefault(step, empty)
    step = steps[-1]
    if isinstance(here, list):
        while len(here) <= step:
            here.append("" if isinstance(value, str) else None)
        here[step] = here[step] + value if isinstance(value, str) else value
    elif isinstance(value, str):
        here[step] = here.get(step, "") + value
    else:
        here[step] = value


def path(text):
    """Splits `$.a[0].b` and `$['a']` into their steps."""
    return [step.strip("'\"") for step in text.lstrip("$").replace("[", ".").replace("]", "").split(".") if step]


def usage(told):
    """Reads usage; thoughts and the prompts of hosted tools are counted apart."""
    if not told:
        return None
    thought = count(told.get("thoughtsTokenCount"))
    return Usage(
        count(told.get("promptTokenCount")) + count(told.get("toolUsePromptTokenCount")),
        count(told.get("candidatesTokenCount")) + thought,
        count(told.get("cachedContentTokenCount")),
        thought,
    )
