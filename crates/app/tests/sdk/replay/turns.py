"""Conversations that go on: what an SDK got in one turn goes back in the next, as programs do it.

The request that then reaches the provider must hold, unchanged, what the provider gave out to be
given back: the ids of its calls, each on the call and on its result, and its signatures and
encrypted thoughts, whichever dialect they travelled through."""

import json
import re

from google.genai import types

from . import clients, frames, records

RESULT = "18 degrees, clear"
# Where the dialects keep what must come back.
CARRIERS = ("signature", "thoughtSignature", "thought_signature", "redactedContent")


def cases(chosen, asking, served):
    """Makes a case of every recording that gives out something to be given back."""
    for record in chosen:
        carriers, ids = given(record)
        if not carriers and not ids or records.reduced(record).error:
            continue
        for client in asking:
            mode = f"{'event' if record['is_stream'] else 'whole'}.turn-{client}"
            yield {
                "kind": "turn", "id": record["id"], "mode": "next turn", "client": client, "stream": record["is_stream"],
                "dialect": records.DIALECTS[record["api"]][0], "carriers": carriers, "ids": ids,
                "provider": records.provider(record), "family": records.family(record["provider"]),
                "model": f"{record['id']}@{mode}", "row": f"{record['provider']} {record['api']}",
                "columns": ["turns"],
            }  # fmt: skip


def given(record):
    """Returns the carriers and the ids of calls of a recording."""
    if record["is_stream"]:
        payloads = list(frames.payloads(records.body(record), records.framing(record)))
    else:
        payloads = [frames.whole(records.body(record))]
    carriers, ids = [], []
    payloads = [payload[1] if isinstance(payload, tuple) else payload for payload in payloads]
    if record["api"] == "responses" and record["is_stream"]:
        payloads = [event for event in payloads if event.get("type") in (*ENDS, "response.output_item.done")]
    for payload in payloads:
        look(payload, carriers, ids, record["api"])
    # A stream of responses says its thoughts twice, in two encryptions; either of them may go back.
    same = {}
    for number, (thought, carrier) in enumerate(carriers):
        same.setdefault(thought or f"{number}", set()).add(carrier)
    alternatives = sorted({tuple(sorted(spellings)) for spellings in same.values()})
    return alternatives, sorted({identity for identity in ids if identity})


def look(value, carriers, ids, api):
    """Collects carriers and ids of calls from any depth."""
    if isinstance(value, list):
        for entry in value:
            look(entry, carriers, ids, api)
    if not isinstance(value, dict):
        return
    kind = value.get("type")
    # Chat hosts take thoughts back in a field that only their record names: that is not tried here.
    # What the provider ran itself stays there, and its signature with it.
    if api != "chat" and "executableCode" not in value and "codeExecutionResult" not in value:
        # Google demands signatures of calls. That of an empty text at the end of a stream is not given
        # to clients of other dialects, who would take an empty text for the last word.
        if value.get("text") != "":
            carriers += [(None, value[name]) for name in CARRIERS if isinstance(value.get(name), str) and value[name]]
        if kind == "reasoning" and value.get("encrypted_content"):
            carriers.append((value.get("id"), value["encrypted_content"]))
        if kind == "redacted_thinking" and value.get("data"):
            carriers.append((None, value["data"]))
    if kind in ("function_call", "custom_tool_call"):
        ids.append(value.get("call_id"))
    elif kind in ("tool_use", "function"):
        ids.append(value.get("id"))
    elif isinstance(value.get("toolUse"), dict) and value["toolUse"].get("type") != "server_tool_use":
        ids.append(value["toolUse"].get("toolUseId"))
    elif isinstance(value.get("functionCall"), dict):
        ids.append(value["functionCall"].get("id"))
    for entry in value.values():
        look(entry, carriers, ids, api)


def judge(case, state):
    """Asks twice; what reached the provider is looked at where the provider is."""
    go_on = {"chat": chat, "responses": responses, "messages": messages, "gemini": gemini}[case["client"]]
    try:
        go_on(state["sdks"][case["client"]].sdk, f"{case['provider']}/{case['model']}", case["stream"])
    except clients.RAISED as error:
        return "failed", f"the next turn raised {type(error).__name__}", repr(error)[:500]
    except Exception as error:  # noqa: BLE001 whatever an SDK does with an answer is a finding
        if state["sdks"][case["client"]].dialect == case["dialect"] and clients.refuses_itself(case, state["port"]):
            return "excluded", "the SDK cannot read this answer of its own provider either", None
        return "failed", f"the SDK broke: {type(error).__name__}", repr(error)[:400]
    return "passed", None, None


def chat(sdk, model, stream):
    """Goes on in OpenAI chat."""
    tool = {"type": "function", "function": {"name": "get_weather", "parameters": clients.PARAMETERS}}
    request = {"model": model, "messages": [{"role": "user", "content": "hi"}], "tools": [tool]}
    if stream:
        turn = joined(sdk.chat.completions.create(**request, stream=True))
    else:
        turn = sdk.chat.completions.create(**request).choices[0].message.model_dump(exclude_none=True, warnings=False)
    results = [{"role": "tool", "tool_call_id": call["id"], "content": RESULT} for call in turn.get("tool_calls") or []]
    request["messages"] += [turn, *(results or [{"role": "user", "content": "go on"}])]
    ask_again(sdk.chat.completions.create, request, stream)


def joined(chunks):
    """Puts a message together from a stream: texts are joined, lists are strung together."""
    turn = {"role": "assistant"}
    for chunk in chunks:
        for choice in (choice for choice in chunk.choices if choice.index == 0):
            for name, value in choice.delta.model_dump(exclude_none=True, warnings=False).items():
                if name == "tool_calls":
                    for piece in value:
                        add_piece(turn.setdefault("tool_calls", []), piece)
                elif name != "role":
                    turn[name] = turn[name] + value if name in turn else value
    return turn


def add_piece(calls, piece):
    """Adds a piece of a call by its index."""
    at = piece.pop("index", len(calls))
    while len(calls) <= at:
        calls.append({"type": "function", "function": {"name": "", "arguments": ""}})
    call, own = calls[at], piece.pop("function", None) or {}
    call["function"]["name"] += own.get("name") or ""
    call["function"]["arguments"] += own.get("arguments") or ""
    call.update({name: value for name, value in piece.items() if value})


def responses(sdk, model, stream):
    """Goes on in OpenAI responses."""
    tool = {"type": "function", "name": "get_weather", "parameters": clients.PARAMETERS, "strict": False}
    request = {"model": model, "input": [{"role": "user", "content": "hi"}], "tools": [tool]}
    if stream:
        last = [event.response for event in sdk.responses.create(**request, stream=True) if event.type in ENDS]
        output = last[-1].output if last else []
    else:
        output = sdk.responses.create(**request).output
    output = [item.model_dump(exclude_none=True, warnings=False) for item in output]
    kinds = {"function_call": "function_call_output", "custom_tool_call": "custom_tool_call_output"}
    results = [
        {"type": kinds[item["type"]], "call_id": item["call_id"], "output": RESULT} for item in output if item["type"] in kinds
    ]
    request["input"] += [*output, *(results or [{"role": "user", "content": "go on"}])]
    ask_again(sdk.responses.create, request, stream)


ENDS = ("response.completed", "response.incomplete")


def messages(sdk, model, stream):
    """Goes on in Anthropic messages."""
    tool = {"name": "get_weather", "input_schema": clients.PARAMETERS}
    request = {"model": model, "max_tokens": 1024, "messages": [{"role": "user", "content": "hi"}], "tools": [tool]}
    if stream:
        with sdk.messages.stream(**request) as events:
            answer = events.get_final_message()
    else:
        answer = sdk.messages.create(**request)
    content = [block.model_dump(exclude_none=True, warnings=False) for block in answer.content]
    for block in content:
        block.pop("parsed_output", None)
    results = [{"type": "tool_result", "tool_use_id": block["id"], "content": RESULT} for block in content if block["type"] == "tool_use"]
    request["messages"] += [
        {"role": "assistant", "content": content},
        {"role": "user", "content": results or "go on"},
    ]
    ask_again(sdk.messages.create, request, stream)


def gemini(sdk, model, stream):
    """Goes on in Google's generateContent."""
    declared = types.FunctionDeclaration(name="get_weather", parameters_json_schema=clients.PARAMETERS)
    config = types.GenerateContentConfig(
        tools=[types.Tool(function_declarations=[declared])],
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
    )
    contents = [types.Content(role="user", parts=[types.Part(text="hi")])]
    ask = sdk.models.generate_content_stream if stream else sdk.models.generate_content
    answers = list(ask(model=model, contents=contents, config=config)) if stream else [ask(model=model, contents=contents, config=config)]
    parts = [
        part
        for answer in answers
        for candidate in answer.candidates or []
        if not candidate.index
        for part in (candidate.content and candidate.content.parts) or []
    ]
    calls = [part.function_call for part in parts if part.function_call]
    results = [
        types.Part(function_response=types.FunctionResponse(id=call.id, name=call.name, response={"output": RESULT}))
        for call in calls
    ]
    contents.append(types.Content(role="model", parts=parts))
    contents.append(types.Content(role="user", parts=results or [types.Part(text="go on")]))
    again = ask(model=model, contents=contents, config=config)
    if stream:
        list(again)


def ask_again(create, request, stream):
    """Sends the next turn and reads the answer to its end."""
    answer = create(**request, stream=stream)
    if stream:
        list(answer)


def came_back(case, server):
    """Returns what is wrong with the request that reached the provider, if anything."""
    if server.times[case["model"]] != 2:
        return "failed", "the next turn did not reach the provider", case["model"]
    sent = json.loads(server.seen[case["model"]]["body"])
    strings = []
    collect(sent, strings)
    strings = {spelt(text) for text in strings}
    lost = [carrier for carrier in case["carriers"] if not strings.intersection(map(spelt, carrier))]
    if lost:
        return "failed", "a signature did not come back", f"{len(lost)} of {len(case['carriers'])}, {lost[0][0][:40]}"
    called, answered = [], []
    pair(sent, called, answered)
    if sorted(called) != sorted(answered):
        return "failed", "calls and results do not belong together", f"{called} and {answered}"
    gone = [identity for identity in case["ids"] if PLAIN_ID.fullmatch(identity) and identity not in called]
    if gone:
        return "failed", "a call's id did not come back", f"{gone}"
    return None


# What every host takes as the id of a call; others are renamed, on call and result alike.
PLAIN_ID = re.compile("[A-Za-z0-9_-]{1,40}")


def pair(value, called, answered):
    """Collects the ids of calls and those of results, in any dialect."""
    for entry in value if isinstance(value, list) else value.values() if isinstance(value, dict) else ():
        pair(entry, called, answered)
    if not isinstance(value, dict):
        return
    kind = value.get("type")
    called += [call.get("id") or call.get("function", {}).get("name") for call in value.get("tool_calls") or []]
    if value.get("role") == "tool":
        answered.append(value.get("tool_call_id") or value.get("tool_name"))
    if kind in ("function_call", "custom_tool_call"):
        called.append(value["call_id"])
    if kind in ("function_call_output", "custom_tool_call_output"):
        answered.append(value["call_id"])
    if kind == "tool_use":
        called.append(value["id"])
    if kind == "tool_result":
        answered.append(value["tool_use_id"])
    if "toolUse" in value and value["toolUse"].get("type") != "server_tool_use":
        called.append(value["toolUse"]["toolUseId"])
    if "toolResult" in value and value["toolResult"].get("type") is None:
        answered.append(value["toolResult"]["toolUseId"])
    if "functionCall" in value:
        called.append(value["functionCall"].get("id") or value["functionCall"]["name"])
    if "functionResponse" in value:
        answered.append(value["functionResponse"].get("id") or value["functionResponse"]["name"])


def spelt(text):
    """Returns base64 in one of its two alphabets, for Google's SDK answers in the other."""
    return text.replace("-", "+").replace("_", "/").rstrip("=")


def collect(value, strings):
    """Collects all texts at any depth."""
    if isinstance(value, str):
        strings.append(value)
    for entry in value if isinstance(value, list) else value.values() if isinstance(value, dict) else ():
        collect(entry, strings)
