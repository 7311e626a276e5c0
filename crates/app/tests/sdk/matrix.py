"""Drives every task of a routing table through the OpenAI SDK, once for each way its targets fail.

Arguments: base URL, JSON list of tasks, JSON list of ways. The prompt names the way; the scripted
provider obeys it. Prints one JSON object a request: what answered, or what the SDK raised."""

import json
import sys

import openai

base_url, tasks, ways = sys.argv[1], json.loads(sys.argv[2]), json.loads(sys.argv[3])
client = openai.OpenAI(base_url=base_url, api_key="any", max_retries=2, timeout=30)


def ask(task, way, stream):
    messages = [{"role": "user", "content": f"hello [{way}]"}]
    raw = client.chat.completions.with_raw_response.create(model=f"task/{task}", messages=messages, stream=stream)
    answer = raw.parse()
    if stream:
        text = "".join(chunk.choices[0].delta.content or "" for chunk in answer if chunk.choices)
    else:
        text = answer.choices[0].message.content
    header = raw.headers.get
    return {"model": header("x-pointsman-model"), "attempts": header("x-pointsman-attempts"), "text": text}


for task in tasks:
    for way in ways:
        for stream in (False, True):
            row = {"task": task, "way": way, "stream": stream}
            try:
                row |= ask(task, way, stream)
            except openai.APIStatusError as error:
                row |= {
                    "raised": type(error).__name__,
                    "status": error.status_code,
                    "code": error.code,
                    "message": error.message,
                    "targets": [attempt["target"] for attempt in error.body.get("attempts", [])],
                }
            print(json.dumps(row), flush=True)
