"""The one shape that recordings and SDK answers are brought to before they are compared."""

import json
from dataclasses import dataclass, field

# Some recordings are answers of test servers, or of another dialect than was asked for.
NOT_OF_THE_DIALECT = "this is no answer of the dialect"
# Others break off where every answer of the dialect has an end.
NO_END = "the stream has no end"


@dataclass
class Usage:
    """Counts of tokens: `input` holds what came from and went into a cache, `output` the reasoning."""

    input: int = 0
    output: int = 0
    cached: int = 0
    reasoning: int = 0


@dataclass
class Candidate:
    """One answer: what was said, what was thought, which tools are called, and why it ended.

    `text` holds a refusal too, after the text: not every dialect has a place of its own for it."""

    text: str = ""
    reasoning: str = ""
    refused: bool = False
    calls: list = field(default_factory=list)
    stop: str | None = None


@dataclass
class Answer:
    """What came back: candidates and usage, or an error."""

    candidates: list = field(default_factory=list)
    usage: Usage | None = None
    error: str | None = None

    def first(self):
        """Returns the first candidate, an empty one where there is none."""
        return self.candidates[0] if self.candidates else Candidate()


def arguments(text):
    """Reads a call's arguments: JSON, nothing for a tool without any, or the text when it is broken."""
    if isinstance(text, (dict, list)):
        return text
    if text is None or not text.strip():
        return {}
    try:
        value = json.loads(text)
        # Snowflake writes the JSON as a string in JSON.
        inner = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return text
    return inner if isinstance(inner, dict) else value


def count(value):
    """Reads a count; what is none counts nothing."""
    return int(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else 0


def ended(word, words, calls):
    """Brings a dialect's word for the end to the common one; whoever calls tools did not just stop."""
    stop = words.get(str(word).lower(), "other") if word not in (None, "", "null") else None
    return "tool_calls" if calls and stop in ("stop", None) else stop
