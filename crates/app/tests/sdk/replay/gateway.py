"""The gateway under test: its configuration and its process, cut off from the machine's own keys."""

import json
import os
import pathlib
import subprocess
import threading

# Recorded errors are asked for on purpose: nothing is tried again, and no circuit opens.
TABLE = """version: replay
default_model: {model}
direct: {{ retries: 0, timeout: 5m, total: 10m }}
tasks: {{}}
"""
CONFIG = """listen: 127.0.0.1:0
database: ledger.db
routing: routing.yaml
breaker: { consecutive: 1000, minimum: 1000 }
"""

# A developer's own servers must not be found: nothing listens on port 1.
LOCAL = ("LLAMACPP", "OLLAMA", "VLLM", "LMSTUDIO")


class Gateway:
    """Serves from a folder until it is closed."""

    def __init__(self, program, folder, providers):
        """`providers` are records in the catalog's form."""
        folder = pathlib.Path(folder)
        (folder / "providers").mkdir()
        (folder / "pointsman.yaml").write_text(CONFIG)
        (folder / "routing.yaml").write_text(TABLE.format(model=f"{providers[0]['id']}/{providers[0]['models'][0]['id']}"))
        for record in providers:
            # JSON is YAML too.
            (folder / "providers" / f"{record['id']}.yaml").write_text(json.dumps(record))
        environment = {"HOME": str(folder), "PATH": os.environ.get("PATH", "")}
        environment |= {f"{name}_BASE_URL": "http://127.0.0.1:1" for name in LOCAL}
        self.log = folder / "stderr.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [program, "serve"], cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=log, text=True
            )
        said = ""
        for line in self.process.stdout:
            said += line
            if "http://" in line:
                address = line[line.index("http://") :].split()[0]
                self.base = address.rstrip("/").removesuffix("/v1")
                break
        else:
            raise SystemExit(f"serve ended: {said}{self.log.read_text()}")
        # The rest of the greeting is read on, so that the program never blocks on it.
        threading.Thread(target=self.process.stdout.read, daemon=True).start()

    def close(self):
        """Stops the process that was started here."""
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()


def provider(identity, port, dialect, family, models):
    """Returns a record whose requests reach the replay server as `/<model>/x`."""
    return {
        "id": identity,
        "base_url": f"http://127.0.0.1:{port}",
        "auth": {"none": True},
        "errors_like": family,
        "speaks": [{"dialect": dialect, "path": "/{model}/x"}],
        "models": [{"id": model} for model in models],
    }
