"""Sends recorded requests through the gateway into every provider dialect and holds what arrives
against the published descriptions: OpenAI's, Anthropic's, Google's and Amazon's.

A request goes in as its client wrote it, in its own dialect, once for a provider of each dialect;
the provider keeps what it gets and answers with a recording. Prints counts by pair of dialects and
exits with 1 when a request that arrived is not valid."""

import argparse
import collections
import concurrent.futures
import http.client
import json
import random
import re
import sys
import tempfile
from urllib.parse import quote

from replay import records, schemas
from replay.gateway import Gateway
from replay.server import Server

# The dialects that clients speak, by recorded API.
FROM = ("chat", "responses", "messages", "generateContent")
PATHS = {"chat": "/v1/chat/completions", "responses": "/v1/responses", "messages": "/v1/messages"}


def main():
    """Runs what the arguments ask for."""
    reading = argparse.ArgumentParser(description=__doc__)
    reading.add_argument("--pointsman", required=True, help="the program under test")
    reading.add_argument("--corpus", required=True, help="the folder with the recordings")
    reading.add_argument("--specs", required=True, help="the folder with the published descriptions")
    reading.add_argument("--sample", type=int, help="how many requests of each dialect; all of them without it")
    reading.add_argument("--seed", type=int, default=1, help="what the sample is drawn with")
    reading.add_argument("--only", help="this record alone")
    wanted = reading.parse_args()
    known = records.load(wanted.corpus)
    requests, left = recorded(known, wanted)
    print(f"{len(requests)} requests, " + "; ".join(f"left out {times}: {why}" for why, times in left.most_common()))
    served = Capture(answers(known))
    server = Server(served)
    with tempfile.TemporaryDirectory() as folder:
        gateway = Gateway(wanted.pointsman, folder, [provider(api, server.port, requests) for api in records.DIALECTS])
        try:
            arrived = send(requests, gateway.base, server)
        finally:
            gateway.close()
            server.close()
    sys.exit(1 if judge(arrived, schemas.Schemas(wanted.specs)) else 0)


class Capture(dict):
    """What the provider answers: a recording of the dialect that is asked for, whole or streamed."""

    def __init__(self, known):
        super().__init__()
        self.answers = known

    def get(self, identity, default=None):
        """Finds the answer for `<api>:<stream>:<number>`."""
        api, stream, _ = (identity.split(":") + ["", ""])[:3]
        return self.answers.get((api, stream == "stream"), default)

    def streams(self, api, body):
        """Whether a request asks for a stream in its body."""
        return bool(body.get("stream"))


def answers(known):
    """Returns a plain recorded answer for every dialect, whole and streamed."""
    kept, _ = records.answers(known)
    found = {}
    for record in kept:
        if record["provider"] in ("openai", "anthropic", "gemini", "bedrock", "cohere", "ollama") and not record["has_tools"]:
            answer = records.reduced(record)
            if not answer.error and answer.first().text:
                found.setdefault((record["api"], record["is_stream"]), record)
    return found


def recorded(known, wanted):
    """Returns the recorded requests of the clients' dialects, each once."""
    left, found, seen = collections.Counter(), [], set()
    for record in known.values():
        if record["api"] not in FROM or wanted.only and record["id"] != wanted.only:
            continue
        try:
            body = json.loads(record["request_body"] or "")
        except ValueError:
            left["no request was recorded"] += 1
            continue
        if record["is_error"]:
            left["the provider refused it"] += 1
            continue
        key = (record["api"], json.dumps({**body, "model": ""}, sort_keys=True))
        if key in seen:
            left["the same request again"] += 1
            continue
        seen.add(key)
        found.append((record, body))
    if wanted.sample:
        random.Random(wanted.seed).shuffle(found)
        drawn = collections.defaultdict(list)
        for record, body in found:
            drawn[record["api"]].append((record, body))
        found = [entry for entries in drawn.values() for entry in entries[: wanted.sample]]
    return found, left


def provider(api, port, requests):
    """Returns the record of the provider that is spoken to in a dialect."""
    dialect, _ = records.DIALECTS[api]
    names = [name(api, record, body) for record, body in requests]
    return {
        "id": f"v-{api}".lower(),
        "base_url": f"http://127.0.0.1:{port}",
        "auth": {"none": True},
        "speaks": [{"dialect": dialect, "path": "/{model}/x"}],
        "models": [{"id": model} for model in names],
    }


def name(api, record, body):
    """Returns the model's name, which says what is answered and for which request."""
    streamed = body.get("stream") if record["api"] != "generateContent" else "streamGenerateContent" in record["path"]
    return f"{api}:{'stream' if streamed else 'whole'}:{record['id']}"


def send(requests, base, server):
    """Sends every request to every dialect; yields what arrived or why it did not."""
    tasks = [(record, body, api) for record, body in requests for api in records.DIALECTS]
    host = base.removeprefix("http://")

    def one(task):
        record, body, api = task
        model = name(api, record, body)
        status, said = post(host, record, body, f"v-{api}".lower() + "/" + model)
        arrived = server.seen.get(model)
        return record, body, api, status, said, arrived and json.loads(arrived["body"])

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        return list(pool.map(one, tasks))


def post(host, record, body, model):
    """Sends a request as its client would, with another model."""
    if record["api"] == "generateContent":
        verb = "streamGenerateContent?alt=sse" if "streamGenerateContent" in record["path"] else "generateContent"
        path = f"/v1beta/models/{quote(model)}:{verb}"
    else:
        path, body = PATHS[record["api"]], {**body, "model": model}
    connection = http.client.HTTPConnection(host, timeout=60)
    try:
        connection.request("POST", path, json.dumps(body), {"content-type": "application/json"})
        answer = connection.getresponse()
        return answer.status, answer.read()[:2000].decode("utf-8", "replace")
    finally:
        connection.close()


def judge(arrived, published):
    """Validates, prints the counts and returns how many were not valid."""
    counts = collections.defaultdict(collections.Counter)
    reasons = collections.defaultdict(list)
    for record, body, api, status, said, sent in arrived:
        pair = (record["api"], api)
        if sent is None:
            why = refusal(said)
            verdict = "refused" if RIGHTLY.match(why) else "wrongly refused"
            counts[pair][verdict] += 1
            reasons[verdict, record["api"], why].append(f"{record['id']} -> {api}")
            continue
        found = published.problems(api, sent)
        if not found:
            counts[pair]["valid" if published.knows(api) else "no description"] += 1
        elif clients_own(record, body, api, found, published):
            counts[pair]["as its client wrote it"] += 1
        elif not published.problems(api, without(sent, BEYOND)):
            counts[pair]["beyond the description"] += 1
        else:
            counts[pair]["invalid"] += 1
            reasons["invalid", record["api"], found[0]].append(f"{record['id']} -> {api}")
        if status != 200:
            counts[pair]["answered with an error"] += 1
            reasons["answered with an error", record["api"], refusal(said)].append(f"{record['id']} -> {api}")
    for (spoken, written), found in sorted(counts.items()):
        told = ", ".join(f"{verdict} {times}" for verdict, times in sorted(found.items()))
        print(f"{spoken:16} -> {written:16} {told}")
    for (verdict, spoken, why), ids in sorted(reasons.items(), key=lambda entry: -len(entry[1])):
        print(f"{verdict} {len(ids)}: {spoken}: {why}  e.g. {', '.join(ids[:3])}")
    total = sum(counts.values(), collections.Counter())
    print(", ".join(f"{verdict} {times}" for verdict, times in sorted(total.items())))
    return total["invalid"] + total["wrongly refused"] + total["answered with an error"] + (total["valid"] == 0)


# What the gateway may refuse: what only another provider keeps, and a result without its call,
# which the providers have come to refuse as well.
RIGHTLY = re.compile(r"only providers that speak|turns\[\d+\]: answers the tool call .* which no turn before it makes")

# Parts that the description leaves out: pictures that move, which hosts of the dialect take, and audio
# in responses, which the official SDK has a type for.
BEYOND = ("video_url", "input_audio")


def clients_own(record, body, api, found, published):
    """Whether all faults are the client's: within a dialect requests go on as they are, and hosts
    take more than the inventor describes; a wrong value (`top_p: -1`) is as wrong in any dialect."""
    own = published.problems(record["api"], {**body, "model": "any"})
    if record["api"] == api:
        return bool(own)
    values = [complaint.split(": ", 1)[-1].split(" is ")[0] for complaint in own]
    return all(any(f"{value} is " in why or f"value: {value}," in why for value in values) for why in found)


def without(value, kinds):
    """Returns a body without parts of these types."""
    if isinstance(value, list):
        return [without(entry, kinds) for entry in value if not (isinstance(entry, dict) and entry.get("type") in kinds)]
    return {name: without(entry, kinds) for name, entry in value.items()} if isinstance(value, dict) else value


def refusal(said):
    """Returns the message of the gateway's own refusal."""
    try:
        # The plan's names are this run's own.
        return json.loads(said)["error"]["message"].split(", and the plan")[0][:160]
    except (ValueError, KeyError, TypeError):
        return said[:160]


if __name__ == "__main__":
    main()
