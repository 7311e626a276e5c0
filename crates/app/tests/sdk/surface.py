"""Uses the OpenAI SDK as programs do: whole answers, streams, tools, structured output, errors.

Arguments: base URL, model, and `scripted` or `real`. A real small model may answer badly, so there
only the shapes are looked at. Prints one line a check and exits with 1 when one fails."""

import json
import sys

import openai
import pydantic

base_url, model, kind = sys.argv[1:4]
real = kind == "real"
client = openai.OpenAI(base_url=base_url, api_key="any", timeout=300, max_retries=0)
hello = [{"role": "user", "content": "Say hello in one short sentence."}]
failed = []


def check(name, holds, found=None):
    print(f"{'ok' if holds else 'FAILED'} {name}{'' if found is None else f': {found}'}", flush=True)
    if not holds:
        failed.append(name)


def whole():
    raw = client.chat.completions.with_raw_response.create(model=model, messages=hello, max_tokens=40)
    answer = raw.parse()
    text = answer.choices[0].message.content
    check("a whole answer has text", bool(text), repr(text))
    check("and a finish", answer.choices[0].finish_reason in ("stop", "length"))
    check("and usage", answer.usage.prompt_tokens > 0 and answer.usage.completion_tokens > 0)
    check("and says its model", bool(raw.headers.get("x-pointsman-model")), raw.headers.get("x-pointsman-model"))
    check("and its request id", raw.headers.get("x-request-id", "").startswith("req_"))


def streamed():
    chunks = list(client.chat.completions.create(model=model, messages=hello, max_tokens=40, stream=True))
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    finish = [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices and chunk.choices[0].finish_reason]
    check("a stream has text", bool(text), repr(text))
    check("and one finish", len(finish) == 1, finish)
    check("and no usage nobody asked for", all(chunk.usage is None for chunk in chunks))
    options = {"include_usage": True}
    asked = list(client.chat.completions.create(model=model, messages=hello, max_tokens=20, stream=True, stream_options=options))
    check("and usage when asked for", asked[-1].usage is not None and asked[-1].usage.completion_tokens > 0)


def tools():
    weather = {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "Get the weather of a city",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        },
    }
    question = [{"role": "user", "content": "What is the weather in Paris? Use the tool."}]
    answer = client.chat.completions.create(
        model=model, messages=question, tools=[weather], tool_choice="required", max_tokens=80
    )
    calls = answer.choices[0].message.tool_calls or []
    if real and not calls:
        # A model this small mostly talks about the tool: then the request was answered, and that is all.
        check("a request with tools is answered", bool(answer.choices[0].message.content))
        return
    check("a tool is called", bool(calls) and calls[0].function.name == "get_weather", calls and calls[0].function)
    arguments = calls[0].function.arguments
    check("its arguments are JSON", isinstance(json.loads(arguments), dict), arguments)
    history = question + [
        answer.choices[0].message.model_dump(exclude_none=True),
        {"role": "tool", "tool_call_id": calls[0].id, "content": "18 degrees, clear"},
    ]
    after = client.chat.completions.create(model=model, messages=history, tools=[weather], max_tokens=40)
    check("its result is answered", after.choices[0].message.content is not None or after.choices[0].message.tool_calls)
    stream = client.chat.completions.create(
        model=model, messages=question, tools=[weather], tool_choice="required", max_tokens=80, stream=True
    )
    name, parts = None, []
    for chunk in stream:
        for call in (chunk.choices[0].delta.tool_calls or []) if chunk.choices else []:
            name = call.function.name or name
            parts.append(call.function.arguments or "")
    check("a streamed call comes whole", name == "get_weather" and isinstance(json.loads("".join(parts)), dict), parts)


class Mood(pydantic.BaseModel):
    mood: str
    score: int


def structured():
    messages = [{"role": "user", "content": "The mood of 'what a day!' and a score from 1 to 5, as JSON."}]
    answer = client.chat.completions.parse(model=model, messages=messages, response_format=Mood, max_tokens=80)
    parsed = answer.choices[0].message.parsed
    check("structured output parses", isinstance(parsed, Mood), parsed)


def errors():
    try:
        client.chat.completions.create(model="gpt4o-nonsense-zzz", messages=hello)
        check("an unknown model raises", False)
    except openai.NotFoundError as error:
        check("an unknown model raises NotFoundError", error.code == "model_not_found", error.message)
        check("with the request's id", (error.request_id or "").startswith("req_"))
    try:
        client.chat.completions.create(model=model, messages="not a list")
        check("wrong messages raise", False)
    except openai.BadRequestError as error:
        check("wrong messages raise BadRequestError", error.param == "messages", error.message)


def models():
    names = [entry.id for entry in client.models.list()]
    check("models are listed", "auto" in names and model in names, len(names))
    check("a model is looked up", client.models.retrieve(model).id == model)


for part in (whole, streamed, tools, structured, errors, models):
    part()
sys.exit(1 if failed else 0)
