"""Counts what was tried: by provider and by what the recordings are about."""

import collections

COLUMNS = ("whole", "stream", "tools", "images", "structured", "reasoning", "errors", "turns")

# The share of cases that may be left out.
LEFT_OUT_AT_MOST = 0.02


def columns(record):
    """Returns the columns a recording counts in."""
    found = ["stream" if record["is_stream"] else "whole"]
    named = {"tools": "has_tools", "images": "has_images", "structured": "has_json_schema", "reasoning": "has_reasoning"}
    return found + [column for column, flag in named.items() if record[flag]]


class Table:
    """Counts of cases, passed, failed and left out."""

    def __init__(self):
        self.cells = collections.defaultdict(collections.Counter)
        self.left_out = collections.Counter()
        self.allowed = collections.Counter()
        self.groups = collections.defaultdict(list)
        self.clients = collections.defaultdict(collections.Counter)

    def count(self, provider, names, client, mode, verdict, why, detail):
        """Counts a case: `why` is the reason it was left out, or the group of its failure; `detail`
        what failed, or which tolerances were used."""
        for name in names:
            self.cells[provider, name][verdict] += 1
        self.clients[client, mode][verdict] += 1
        if verdict == "excluded":
            self.left_out[why] += 1
        if verdict == "passed":
            self.allowed.update(detail or ())
        if verdict == "failed":
            self.groups[why].append((client, detail))

    def failed(self):
        """Returns how many cases failed."""
        return sum(counts["failed"] for counts in self.clients.values())

    def proves_enough(self):
        """Whether there were cases at all, and hardly any was left out."""
        total = self.total()
        return total["passed"] > 0 and total["excluded"] <= LEFT_OUT_AT_MOST * sum(total.values())

    def total(self):
        """Returns the counts of all cases."""
        return sum(self.clients.values(), collections.Counter())

    def json(self):
        """Returns the counts for programs."""
        return {
            "total": dict(self.total()),
            "cells": {f"{provider}/{name}": dict(counts) for (provider, name), counts in sorted(self.cells.items())},
            "clients": {f"{client}@{mode}": dict(counts) for (client, mode), counts in sorted(self.clients.items())},
            "excluded": dict(self.left_out),
            "allowed": dict(self.allowed),
            "failures": {group: [example for _, example in examples[:3]] for group, examples in self.groups.items()},
        }

    def lines(self):
        """Yields the table for people."""
        yield f"{'passed/cases by provider':28}" + "".join(f"{name:>13}" for name in COLUMNS)
        for provider in sorted({provider for provider, _ in self.cells}):
            yield f"{provider:28}" + "".join(f"{cell(self.cells.get((provider, name))):>13}" for name in COLUMNS)
        yield ""
        yield f"{'passed/cases by cut':28}" + "".join(f"{client:>13}" for client in sorted({c for c, _ in self.clients}))
        for mode in sorted({mode for _, mode in self.clients}):
            row = (cell(self.clients.get((client, mode))) for client in sorted({c for c, _ in self.clients}))
            yield f"{mode:28}" + "".join(f"{text:>13}" for text in row)
        yield ""
        total = self.total()
        yield f"cases {sum(total.values())}, passed {total['passed']}, failed {total['failed']}, excluded {total['excluded']}"
        for why, times in self.left_out.most_common():
            yield f"  excluded {times}: {why}"
        for why, times in self.allowed.most_common():
            yield f"  allowed {times}: {why}"
        for group, examples in sorted(self.groups.items(), key=lambda entry: -len(entry[1])):
            met = collections.Counter(client for client, _ in examples)
            yield f"FAILED {len(examples)}: {group} ({', '.join(f'{client} {times}' for client, times in sorted(met.items()))})"
            for _, example in examples[:3]:
                yield f"    {example}"


def cell(counts):
    """Returns passed of cases, what is left out not counted, and how many failed."""
    if not counts:
        return "-"
    text = f"{counts['passed']}/{counts['passed'] + counts['failed']}"
    return text + (f" !{counts['failed']}" if counts["failed"] else "")
