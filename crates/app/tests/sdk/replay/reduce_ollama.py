"""What an answer of Ollama's own chat holds."""

from .shape import NOT_OF_THE_DIALECT, Answer, Candidate, Usage, arguments, count, ended

STOPS = {"stop": "stop", "length": "length"}


def whole(body):
    """Reduces a whole answer, which is a stream of one line."""
    return stream([body])


def stream(lines):
    """Reduces a stream's lines."""
    one, stop, last, lines = Candidate(), None, None, list(lines)
    for line in lines:
        if line.get("error"):
            return Answer(error=str(line["error"]))
        message = line.get("message") or {}
        one.text += message.get("content") or ""
        one.reasoning += message.get("thinking") or ""
        for call in message.get("tool_calls") or []:
            one.calls.append((call["function"].get("name"), arguments(call["function"].get("arguments"))))
        if line.get("done"):
            stop = line.get("done_reason")
            if "eval_count" in line or "prompt_eval_count" in line:
                last = Usage(count(line.get("prompt_eval_count")), count(line.get("eval_count")))
    if not any("message" in line for line in lines):
        return Answer(error=NOT_OF_THE_DIALECT)
    one.stop = ended(stop, STOPS, one.calls)
    return Answer([one], last)
