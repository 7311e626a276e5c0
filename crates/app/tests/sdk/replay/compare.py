"""Compares what an SDK got with what the recording holds, and says what is allowed to differ.

Every tolerance is a row with its reason, and how often it was made use of is counted."""

import re

from .shape import Usage

# What a client's dialect has no place for, and so nobody can see there.
CANNOT_SAY = {
    ("messages", "candidates"): "Anthropic answers with one candidate",
    ("responses", "candidates"): "responses answer with one candidate",
    ("messages", "usage.reasoning"): "Anthropic does not count thoughts apart from the output",
}

# Anthropic's answers hold no pictures, so one becomes a picture in Markdown.
PICTURE = re.compile(r"!\[image\]\(data:[^)]*\)")

# Dialects whose calls take an object: a free-text tool's input becomes its one argument.
OBJECTS_ONLY = ("messages", "gemini")


def differences(expected, got, client, verbatim):
    """Returns what differs, as `(field, expected, got)`, and the reasons why other things may."""
    found, allowed = [], set()

    def check(field, one, other):
        if one != other and (client, field) in CANNOT_SAY:
            allowed.add(CANNOT_SAY[client, field])
        elif one != other:
            found.append((field, one, other))

    if not got.candidates:
        return [("candidates", len(expected.candidates), 0)], allowed
    check("candidates", len(expected.candidates), len(got.candidates))
    for one, other in zip(expected.candidates, got.candidates):
        text, calls = other.text, one.calls
        if client == "messages" and PICTURE.search(text):
            allowed.add("Anthropic's answers hold no pictures, so one is a picture in Markdown")
            text = PICTURE.sub("", text)
        if client in OBJECTS_ONLY and not verbatim and any(isinstance(call[1], str) for call in calls):
            allowed.add("calls take an object, so a free text is its one argument")
            calls = list(map(as_object, calls))
        check("text", one.text, text)
        check("reasoning", one.reasoning, other.reasoning)
        check("calls", calls, other.calls)
        why = None if one.stop == other.stop else ends_alike(one, other, client)
        if why:
            allowed.add(why)
        else:
            check("stop", one.stop, other.stop)
    if expected.usage is None:
        allowed.add("the provider told no usage, so there is none to compare")
    elif expected.usage.cached > expected.usage.input and not verbatim:
        # Grok at Azure leaves the cached tokens out of the prompt's.
        allowed.add("the provider told of more cached tokens than came in, which fits no dialect")
    else:
        for name in ("input", "output", "cached", "reasoning"):
            check(f"usage.{name}", getattr(expected.usage, name), getattr(got.usage or Usage(), name))
    return found, allowed


def as_object(call):
    """Returns a call as a dialect has it that takes objects alone."""
    name, arguments = call
    return name, {"input": arguments} if isinstance(arguments, str) else arguments


def ends_alike(one, other, client):
    """Returns why two ends that are told in other words mean the same, if they do."""
    if one.stop is None and other.stop in ("stop", "tool_calls", "other"):
        return "the provider gave no reason for the end, and the dialect wants one"
    if one.refused and {one.stop, other.stop} <= {"stop", "content_filter"}:
        return "OpenAI just stops after a refusal, Anthropic and Google have a word for it"
    if one.stop == "other" and client != "gemini" and other.stop in ("stop", "tool_calls"):
        return "the dialect has no word for the provider's own reason"
    if one.stop == "other" and other.stop == "tool_calls":
        return "Google ends calls with a reason that the SDK's user takes for tool calls"
    return None
