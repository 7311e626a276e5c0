"""Compares what an SDK got with what the recording holds, and says what is allowed to differ.

Every tolerance is a row with its reason; there is none that is not needed by a recording."""

from .shape import Usage

# What a client's dialect has no place for, and so nobody can see there.
CANNOT_SAY = {
    ("messages", "candidates"): "Anthropic answers with one candidate",
    ("responses", "candidates"): "responses answer with one candidate",
    ("messages", "usage.reasoning"): "Anthropic does not count thoughts apart from the output",
}

# Where the end is told in other words: what the recording says, the client, and what it may get.
OTHER_ENDS = {
    ("other", "chat"): {"stop", "other", "tool_calls"},  # OpenAI has no word for a pause or a fault.
    ("other", "messages"): {"stop", "other", "tool_calls"},  # Nor has Anthropic, but for the pause.
    ("other", "responses"): {"stop", "other", "tool_calls"},  # A status without a reason.
    ("other", "gemini"): {"other", "tool_calls"},
}


def differences(expected, got, client, verbatim):
    """Returns what differs, as `(field, expected, got)`."""
    found = []

    def check(field, one, other):
        if one != other and (client, field) not in CANNOT_SAY:
            found.append((field, one, other))

    if not got.candidates:
        return [("candidates", len(expected.candidates), 0)]
    check("candidates", len(expected.candidates), len(got.candidates))
    for one, other in zip(expected.candidates, got.candidates):
        check("text", one.text, other.text)
        check("reasoning", one.reasoning, other.reasoning)
        check("calls", one.calls, [tuple(call) for call in other.calls])
        if not ends_alike(one, other, client):
            check("stop", one.stop, other.stop)
    # A gateway that must count says zero, or makes an estimate, where the provider was silent.
    if expected.usage is not None:
        usage = got.usage or Usage()
        for name in ("input", "output", "cached", "reasoning"):
            check(f"usage.{name}", getattr(expected.usage, name), getattr(usage, name))
    return found


def ends_alike(one, other, client):
    """Whether two ends mean the same."""
    if one.stop == other.stop:
        return True
    if one.stop is None:
        # Nobody said why it ended; the dialects want a word.
        return other.stop in ("stop", "tool_calls", "other")
    if one.refused:
        # OpenAI just stops after a refusal that Anthropic and Google end for.
        return {one.stop, other.stop} <= {"stop", "content_filter"}
    return other.stop in OTHER_ENDS.get((one.stop, client), ())
