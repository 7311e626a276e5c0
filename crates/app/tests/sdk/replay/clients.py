"""What the official SDKs get: the same request in each dialect, and their answers in one shape.

Where client and provider speak the same dialect the gateway passes the answer on as it is, with
every liberty that the host takes; then the SDK's objects are reduced like the recording. Where the
gateway wrote the answer itself it is read as programs do, with the SDK's own stream helpers."""

import anthropic
import openai
from google import genai
from google.genai import types

from . import reduce_chat, reduce_gemini, reduce_messages, reduce_responses
from .shape import Answer, Candidate, ended

PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TIMEOUT = 60


class Mismatch(AssertionError):
    """An SDK saw two things in one answer that must be the same."""


def same(what, one, other):
    if one != other:
        raise Mismatch(f"{what}: {one!r} and {other!r}")


class Chat:
    """OpenAI chat."""

    name, dialect = "chat", "openai_chat"

    def __init__(self, base):
        self.sdk = openai.OpenAI(base_url=f"{base}/v1", api_key="any", max_retries=0, timeout=TIMEOUT)

    def ask(self, model, stream, verbatim, said="hi"):
        """Asks and reduces the answer."""
        tool = {"type": "function", "function": {"name": "get_weather", "parameters": PARAMETERS}}
        request = {"model": model, "messages": [{"role": "user", "content": said}], "tools": [tool]}
        if not stream:
            return reduce_chat.whole(self.sdk.chat.completions.create(**request).model_dump(warnings=False))
        options = {"include_usage": True}
        chunks = list(self.sdk.chat.completions.create(**request, stream=True, stream_options=options))
        chunks = [chunk.model_dump(exclude_unset=True, warnings=False) for chunk in chunks]
        return reduce_chat.stream(chunks) if verbatim else self.strictly(chunks)

    def strictly(self, chunks):
        """Joins chunks as programs do: by index, names once, nothing but pieces of text."""
        messages, last = {}, None
        for chunk in chunks:
            last = reduce_chat.usage(chunk) or last
            for choice in chunk["choices"]:
                one, calls = messages.setdefault(choice["index"], (Candidate(), {}))
                delta = choice["delta"]
                one.text += (delta.get("content") or "") + (delta.get("refusal") or "")
                one.refused |= bool(delta.get("refusal"))
                one.reasoning += delta.get("reasoning_content") or delta.get("reasoning") or ""
                for piece in delta.get("tool_calls") or []:
                    call = calls.setdefault(piece["index"], {"name": "", "arguments": ""})
                    if "id" in piece and piece["id"]:
                        same("a call's id comes once", call.setdefault("id", piece["id"]), piece["id"])
                    own = piece.get("function") or piece.get("custom") or {}
                    call["name"] += own.get("name") or ""
                    call["arguments"] += own.get("arguments") or own.get("input") or ""
                    call["custom"] = call.get("custom") or "custom" in piece
                if choice.get("finish_reason"):
                    same("a choice ends once", one.stop, None)
                    one.stop = choice["finish_reason"]
        for one, calls in messages.values():
            one.calls = [reduce_chat.finished(calls[at]) for at in sorted(calls)]
            one.stop = ended(one.stop, reduce_chat.STOPS, one.calls)
        return Answer([messages[at][0] for at in sorted(messages)], last)


class Responses:
    """OpenAI responses."""

    name, dialect = "responses", "openai_responses"

    def __init__(self, base):
        self.sdk = openai.OpenAI(base_url=f"{base}/v1", api_key="any", max_retries=0, timeout=TIMEOUT)

    def ask(self, model, stream, verbatim, said="hi"):
        """Asks and reduces the answer."""
        tool = {"type": "function", "name": "get_weather", "parameters": PARAMETERS, "strict": False}
        request = {"model": model, "input": said, "tools": [tool]}
        if not stream:
            return reduce_responses.whole(self.sdk.responses.create(**request).model_dump(warnings=False))
        if verbatim:
            events = self.sdk.responses.create(**request, stream=True)
            return reduce_responses.stream([event.model_dump(warnings=False) for event in events])
        text, numbers, short = "", [], None
        with self.sdk.responses.stream(**request) as events:
            for event in events:
                numbers.append(event.sequence_number)
                if event.type in ("response.output_text.delta", "response.refusal.delta"):
                    text += event.delta
                if event.type == "response.incomplete":
                    # The SDK's helper has a final response only for those that are complete.
                    short = event.response
                if event.type == "response.failed":
                    raise openai.APIError(event.response.error.message, None, body=event.response.error.model_dump(warnings=False))
            whole = (short or events.get_final_response()).model_dump(warnings=False)
        same("events are numbered", numbers, list(range(len(numbers))))
        found = reduce_responses.whole(whole)
        same("the pieces are the whole", text, found.first().text)
        return found


class Messages:
    """Anthropic messages."""

    name, dialect = "messages", "anthropic_messages"

    def __init__(self, base):
        self.sdk = anthropic.Anthropic(base_url=base, api_key="any", max_retries=0, timeout=TIMEOUT)

    def ask(self, model, stream, verbatim, said="hi"):
        """Asks and reduces the answer."""
        tool = {"name": "get_weather", "input_schema": PARAMETERS}
        request = {"model": model, "max_tokens": 1024, "messages": [{"role": "user", "content": said}], "tools": [tool]}
        if not stream:
            return reduce_messages.whole(self.sdk.messages.create(**request).model_dump(warnings=False))
        with self.sdk.messages.stream(**request) as events:
            text = "".join(event.delta.text for event in events if text_delta(event))
            whole = events.get_final_message().model_dump(warnings=False)
        found = reduce_messages.whole(whole)
        same("the pieces are the whole", text, found.first().text)
        return found


def text_delta(event):
    return event.type == "content_block_delta" and event.delta.type == "text_delta"


class Gemini:
    """Google's generateContent."""

    name, dialect = "gemini", "gemini"

    def __init__(self, base):
        options = types.HttpOptions(
            base_url=base, timeout=TIMEOUT * 1000, retry_options=types.HttpRetryOptions(attempts=1)
        )
        self.sdk = genai.Client(api_key="any", http_options=options)

    def ask(self, model, stream, verbatim, said="hi"):
        """Asks and reduces the answer."""
        declared = types.FunctionDeclaration(name="get_weather", parameters_json_schema=PARAMETERS)
        config = types.GenerateContentConfig(
            tools=[types.Tool(function_declarations=[declared])],
            automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
        )
        request = {"model": model, "contents": said, "config": config}
        if not stream:
            answers = [self.sdk.models.generate_content(**request)]
        else:
            answers = self.sdk.models.generate_content_stream(**request)
        return reduce_gemini.joined([plain(answer) for answer in answers])


def plain(answer):
    """Returns Google's JSON for what the SDK made of it."""
    return answer.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"sdk_http_response"}, warnings=False)


ALL = {client.name: client for client in (Chat, Responses, Messages, Gemini)}
# Exceptions that SDKs raise for an answer that is an error.
RAISED = (openai.APIError, anthropic.APIError, genai.errors.APIError)


def refuses_itself(case, port):
    """Whether a client's SDK, asking the provider without the gateway, fails at its answer as well."""
    alone = ALL[case["client"]](f"http://127.0.0.1:{port}/{case['model']}")
    try:
        alone.ask("any", case["stream"], True)
    except Exception:  # noqa: BLE001 any failure is the SDK's own here
        return True
    return False
