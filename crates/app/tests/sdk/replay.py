"""Replays recorded answers through the gateway, asked for in every dialect by the official SDKs.

Each recording is a provider's real answer. It is served from this machine, whole or cut in every
way, the gateway asks for it, an SDK asks the gateway, and what the SDK got must be what an
independent reading of the recording says: text, thoughts, calls, end and usage. Recorded errors
must raise the SDK's right exception. Prints a table and exits with 1 when a case failed."""

import argparse
import collections
import concurrent.futures
import json
import multiprocessing
import sys
import tempfile
import warnings

from replay import errors, judge, records, table, turns
from replay.gateway import Gateway, provider
from replay.server import INJECTIONS, Server

CUTS = ("whole", "event", "rec", "1", "7", "drop")
# What a whole answer is tried with: as it is, in small pieces, and after blank lines.
WHOLE_CUTS = ("whole", "7", "blank")


def main():
    """Runs what the arguments ask for."""
    reading = argparse.ArgumentParser(description=__doc__)
    reading.add_argument("--pointsman", required=True, help="the program under test")
    reading.add_argument("--corpus", required=True, help="the folder with the recordings")
    reading.add_argument("--sample", type=int, help="how many recordings; all of them without it")
    reading.add_argument("--seed", type=int, default=1, help="what the sample is drawn with")
    reading.add_argument("--all", action="store_true", help="all recordings, which is the default")
    reading.add_argument("--only", default="", help="these records, by id, with commas")
    reading.add_argument("--modes", default=",".join(CUTS + INJECTIONS), help="the cuts and injections")
    reading.add_argument("--clients", default="chat,responses,messages,gemini", help="the SDKs' dialects")
    reading.add_argument("--parts", default="answers,errors,turns", help="what is tried")
    reading.add_argument("--workers", type=int, default=multiprocessing.cpu_count(), help="processes that ask")
    reading.add_argument("--json", action="store_true", help="print the counts as JSON")
    wanted = reading.parse_args()
    warnings.simplefilter("ignore")
    counted = table.Table()
    run(wanted, counted)
    if wanted.json:
        print(json.dumps(counted.json(), indent=1))
    else:
        print("\n".join(counted.lines()))
    sys.exit(1 if counted.failed() or not counted.proves_enough() else 0)


def run(wanted, counted):
    """Starts the provider and the gateway, asks for everything, and counts."""
    known = records.load(wanted.corpus)
    kept, left = records.answers(known)
    chosen = records.sample(kept, wanted.sample, wanted.seed) if wanted.sample else kept
    if wanted.only:
        chosen = [record for record in kept if record["id"] in wanted.only.split(",")]
    if not wanted.json:
        print(f"{len(known)} recordings, {len(kept)} answers of the dialects, {len(chosen)} tried")
        for why, times in left.most_common():
            print(f"  not tried {times}: {why}")
    clients, parts = wanted.clients.split(","), wanted.parts.split(",")
    cases, served = [], dict(known)
    if "answers" in parts:
        cases += answer_cases(chosen, wanted.modes.split(","), clients)
    if "errors" in parts and not wanted.only:
        cases += errors.cases(wanted.corpus, clients, served)
    if "turns" in parts:
        cases += turns.cases(chosen, clients, served)
    server = Server(served)
    with tempfile.TemporaryDirectory() as folder:
        gateway = Gateway(wanted.pointsman, folder, providers(cases, server.port))
        try:
            for case, verdict in asked(cases, gateway.base, server, wanted.workers):
                count(counted, case, verdict)
        finally:
            gateway.close()
            server.close()


def answer_cases(chosen, modes, clients):
    """Makes a case of every recording, cut and client."""
    for record in chosen:
        dialect, _ = records.DIALECTS[record["api"]]
        expected = records.reduced(record)
        for mode in modes:
            if not applies(mode, record):
                continue
            for client in clients:
                yield {
                    "kind": "answer", "id": record["id"], "mode": mode, "client": client, "stream": record["is_stream"],
                    "dialect": dialect, "expected": expected, "provider": records.provider(record),
                    "family": records.family(record["provider"]), "model": f"{record['id']}@{mode}",
                    "row": f"{record['provider']} {record['api']}", "columns": table.columns(record),
                }  # fmt: skip


def applies(mode, record):
    """Whether a mode makes a difference to a recording."""
    if not record["is_stream"]:
        return mode in WHOLE_CUTS
    if mode == "rec":
        return bool(record.get("response_chunk_lens"))
    return mode not in INJECTIONS or records.framing(record) == "sse"


def providers(cases, port):
    """Returns the gateway's records of the providers that the cases name."""
    models = collections.defaultdict(dict)
    for case in cases:
        models[case["provider"], case["dialect"], case["family"]][case["model"]] = None
    return [provider(identity, port, dialect, family, names) for (identity, dialect, family), names in models.items()]


def asked(cases, base, server, workers):
    """Asks for every case, many at a time, and yields each with what came of it."""
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(workers, context, judge.begin, (base, server.port)) as pool:
        for case, verdict in zip(cases, pool.map(judge.judge, cases, chunksize=16)):
            if case["kind"] == "error" and verdict[0] == "passed":
                verdict = errors.asked_once(case, server) or verdict
            if case["kind"] == "turn" and verdict[0] == "passed":
                verdict = turns.came_back(case, server) or verdict
            yield case, verdict


def count(counted, case, verdict):
    """Counts a case."""
    judged, group, detail = verdict
    if judged == "failed":
        group, detail = f"{group} [{case['dialect']}]", f"{case['model']} {case['client']}: {detail}"
    counted.count(case["row"], case["columns"], case["client"], case["mode"], judged, group, detail)


if __name__ == "__main__":
    main()
