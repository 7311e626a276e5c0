"""Compares what an SDK got with what the recording holds, and says what is allowed to differ.

Every tolerance is a row with its reason; there is none that is not needed by a recording."""

import re

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

# Anthropic's answers hold no pictures, so one becomes a picture in Markdown.
PICTURE = re.compile(r"!\[image\]\(data:[^)]*\)")

# Dialects whose calls take an object: a free-text tool's input becomes its one argument.
OBJECTS_ONLY = ("messages", "gemini")


def as_object(call):
    """Returns a call as a dialect has it that takes objects alone."""
    name, arguments = call
    return name, {"input": arguments} if isinstance(arguments, str) else arguments


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
        check("text", one.text, PICTURE.sub("", other.text) if client == "messages" else other.text)
        check("reasoning", one.reasoning, other.reasoning)
        calls = one.calls if verbatim or client not in OBJECTS_ONLY else list(map(as_object, one.calls))
        check("calls", calls, other.calls)
        if not ends_alike(one, other, client):
            check("stop", one.stop, other.stop)
    # A gateway that must count says zero, or makes an estimate, where the provider was silent.
    # More tokens from a cache than came in (Grok at Azure) fits no dialect's arithmetic.
    if expected.usage is not None and expected.usage.cached <= expected.usage.input:
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
