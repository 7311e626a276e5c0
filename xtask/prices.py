#!/usr/bin/env python3
"""Writes catalog/prices.json from the Python package genai-prices.

    xtask/prices.py [PACKAGE_DIR] [--on YYYY-MM-DD]

PACKAGE_DIR is the unpacked package (the folder that holds data.py). Without it the newest release is
downloaded with pip into a temporary folder. --on chooses the day whose prices are taken; it is today (UTC)
by default and is written into the file, because the same release holds prices that begin on later days.

The package is read, never run: data.py is one literal expression, so its syntax tree is all that is needed.
A construct this script does not know stops it; a price must not get lost in silence.
"""

import argparse
import ast
import datetime
import json
import re
import subprocess
import sys
import tempfile
import zipfile
from decimal import Decimal
from pathlib import Path

TARGET = Path(__file__).resolve().parent.parent / "catalog" / "prices.json"

# The source's price keys that are per million tokens, and our names for them, in the order they are written.
TOKEN_PRICES = {
    "input_mtok": "input",
    "cache_read_mtok": "cached_input",
    "cache_write_mtok": "cache_write",
    "cache_write_1h_mtok": "cache_write_1h",
    "output_mtok": "output",
    "output_reasoning_mtok": "output_reasoning",
    "output_citation_mtok": "output_citation",
    "input_audio_mtok": "input_audio",
    "cache_audio_read_mtok": "cached_input_audio",
    "output_audio_mtok": "output_audio",
    "input_image_mtok": "input_image",
    "cache_image_read_mtok": "cached_input_image",
    "output_image_mtok": "output_image",
    "input_video_mtok": "input_video",
    "output_video_mtok": "output_video",
}
# A fee on every request makes the token price too low, so it is told in a note.
REQUEST_FEE = "requests_kcount"
# Paid by the second, page, character or tool call: no part of a token price.
NOT_TOKENS = {
    "audio_hours", "input_audio_hours", "input_mchars", "input_text_messages_kcount", "input_document_kpages",
    "input_annotated_document_kpages", "web_searches_kcount", "storage_searches_kcount",
}


class Node:
    """A constructor call in data.py: its name and its arguments."""

    def __init__(self, kind, fields):
        self.kind = kind
        self.fields = fields

    def get(self, name):
        return self.fields.get(name)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("package_dir", nargs="?", type=Path)
    arguments.add_argument("--on", type=datetime.date.fromisoformat, default=datetime.datetime.now(datetime.UTC).date())
    given = arguments.parse_args()
    if given.package_dir:
        write(given.package_dir, given.on)
        return
    with tempfile.TemporaryDirectory() as folder:
        write(download(Path(folder)), given.on)


def download(folder):
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    subprocess.run([*command, "--dest", str(folder), "genai-prices"], check=True)
    [wheel] = folder.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(folder)
    return folder / "genai_prices"


def write(package, on):
    providers = read_providers(package / "data.py")
    converted = {p.get("id"): convert_provider(p, providers, on) for p in providers}
    converted = {name: models for name, models in sorted(converted.items()) if models}
    head = {
        "version": f"genai-prices-{version(package)}",
        "on": on.isoformat(),
        "source": "https://github.com/pydantic/genai-prices",
        "licence": "MIT (data)",
        "unit": "US dollars per million tokens, decimal strings",
    }
    TARGET.write_text(render(head, converted), encoding="utf-8")
    print(f"{TARGET.name}: {len(converted)} providers, {sum(map(len, converted.values()))} models, {head['version']}")


def version(package):
    [metadata] = package.parent.glob("genai_prices-*.dist-info/METADATA")
    return re.search(r"^Version: (\S+)$", metadata.read_text(encoding="utf-8"), re.MULTILINE).group(1)


def read_providers(path):
    for statement in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(statement, ast.AnnAssign) and statement.target.id == "providers":
            return literal(statement.value)
    sys.exit(f"{path.name} has no list of providers")


def literal(node):
    match node:
        case ast.Constant(value=value):
            return value
        case ast.List(elts=items):
            return [literal(item) for item in items]
        case ast.Dict(keys=keys, values=values):
            return {literal(k): literal(v) for k, v in zip(keys, values)}
        case ast.Attribute(value=ast.Name(id="datetime"), attr="UTC"):
            return "utc"
        case ast.Call(func=ast.Name(id="Decimal"), args=[ast.Constant(value=str(text))]):
            return Decimal(text)
        case ast.Call(func=ast.Attribute(value=ast.Name(id="datetime"), attr="date"), args=parts):
            return datetime.date(*map(literal, parts))
        case ast.Call(func=ast.Attribute(value=ast.Name(id="datetime"), attr="time"), args=parts, keywords=keywords):
            if [literal(keyword.value) for keyword in keywords] != ["utc"]:
                sys.exit(f"line {node.lineno}: a time of day that is not in UTC")
            return datetime.time(*map(literal, parts))
        case ast.Call(func=ast.Name(id=kind), args=[], keywords=keywords):
            return Node(kind, {keyword.arg: literal(keyword.value) for keyword in keywords})
    sys.exit(f"line {node.lineno}: not a literal this script knows: {ast.dump(node)[:200]}")


def convert_provider(provider, providers, on):
    # The source asks a provider's own models first and only then its lenders': Azure sells OpenAI's models, say.
    lenders = [p for name in provider.get("fallback_model_providers") or [] for p in providers if p.get("id") == name]
    shelf = [(owner, model) for owner in [provider, *lenders] for model in owner.get("models")]
    rows = {}
    for owner, model in shelf:
        name = model.get("id")
        row = convert_model(model, on)
        if row is None or name in rows or (owner is not provider and find(shelf, name) is not model):
            continue
        if owner is not provider:
            row["note"] = "; ".join(filter(None, [f"priced as at {owner.get('id')}", row.get("note")]))
        rows[name] = (model, row)
    for name, (model, row) in rows.items():
        # The first model to match wins in the source; a name that another model catches earlier is not this one's.
        also = {other for other in equals(model.get("match")) if other not in rows and find(shelf, other) is model}
        if also:
            row["also"] = sorted(also)
    return {name: row for name, (_, row) in sorted(rows.items())}


def equals(clause):
    match clause.kind:
        case "ClauseEquals":
            return [clause.get("equals")]
        case "ClauseOr":
            return [name for part in clause.get("or_") for name in equals(part)]
    return []


def find(shelf, name):
    return next((model for _, model in shelf if matches(model.get("match"), name.lower())), None)


def matches(clause, name):
    match clause.kind:
        case "ClauseEquals":
            return name == clause.get("equals").lower()
        case "ClauseStartsWith":
            return name.startswith(clause.get("starts_with").lower())
        case "ClauseEndsWith":
            return name.endswith(clause.get("ends_with").lower())
        case "ClauseContains":
            return clause.get("contains").lower() in name
        case "ClauseRegex":
            return re.search(clause.get("regex"), name) is not None
        case "ClauseOr":
            return any(matches(part, name) for part in clause.get("or_"))
        case "ClauseAnd":
            return all(matches(part, name) for part in clause.get("and_"))
    sys.exit(f"a match clause this script does not know: {clause.kind}")


def convert_model(model, on):
    standard, hours, later = prices_on(model, on)
    price, tiers = token_prices(standard)
    if "input" not in price and "output" not in price:
        return None
    row = {}
    if model.get("context_window"):
        row["context"] = model.get("context_window")
    row["price"] = price
    if tiers:
        row["tiers"] = tiers
    if hours:
        row["hours"] = [
            {"from": f"{start:%H:%M}", "to": f"{end:%H:%M}", **flat_prices(prices)} for start, end, prices in hours
        ]
    if note := notes(standard, hours, later):
        row["note"] = note
    return row


def prices_on(model, on):
    """The prices in force all day, those of certain hours (UTC), and those that begin later.

    The source tries a model's prices from the last to the first and takes the first that is in force.
    """
    prices = model.get("prices")
    if isinstance(prices, Node):
        return prices, [], []
    standard, hours, later = None, [], []
    for priced in reversed(prices):
        constraint = priced.get("constraint")
        kind = constraint.kind if constraint else None
        match kind:
            case "TimeOfDateConstraint":
                hours.append((constraint.get("start_time"), constraint.get("end_time"), priced.get("prices")))
            case "StartDateConstraint" if constraint.get("start_date") > on:
                later.append((constraint.get("start_date"), priced.get("prices")))
            case "StartDateConstraint" | None:
                standard = priced.get("prices")
                break
            case _:
                sys.exit(f"{model.get('id')}: a price condition this script does not know: {kind}")
    if standard is None and prices:
        standard = prices[0].get("prices")
    return standard or Node("ModelPrice", {}), sorted(hours, key=lambda h: h[0]), sorted(later, key=lambda l: l[0])


def token_prices(prices):
    """The base prices and the tiers, each tier with every price that holds in it.

    A tier is a cliff: once the input tokens pass `above`, the whole request is at the tier's prices.
    """
    known = {k: v for k, v in prices.fields.items() if v is not None}
    unknown = known.keys() - TOKEN_PRICES.keys() - NOT_TOKENS - {REQUEST_FEE}
    if unknown:
        sys.exit(f"price keys this script does not know: {sorted(unknown)}")
    ours = {name: known[key] for key, name in TOKEN_PRICES.items() if key in known}
    base = {name: text(v.get("base") if tiered(v) else v) for name, v in ours.items()}
    starts = sorted({tier.get("start") for v in ours.values() if tiered(v) for tier in v.get("tiers")})
    tiers = [{"above": start, **{name: text(at(v, start)) for name, v in ours.items()}} for start in starts]
    return base, tiers


def flat_prices(prices):
    base, tiers = token_prices(prices)
    if tiers:
        sys.exit("a price for certain hours or a later day has tiers: the format has no place for them")
    return base


def at(price, start):
    if not tiered(price):
        return price
    reached = [tier for tier in price.get("tiers") if tier.get("start") <= start]
    return max(reached, key=lambda tier: tier.get("start")).get("price") if reached else price.get("base")


def tiered(price):
    return isinstance(price, Node) and price.kind == "TieredPrices"


def text(price):
    # The source holds a few quotients of binary floats (0.08333333333333334, 1.0399999999999998);
    # nine decimals are what the gateway keeps exactly, and more than any host prints.
    plain = format(round(price, 9), "f")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def notes(standard, hours, later):
    said = []
    if hours:
        said.append("other prices at certain hours (UTC), see hours")
    for day, prices in later:
        base, tiers = token_prices(prices)
        listed = ", ".join(f"{name} {price}" for name, price in base.items())
        said.append(f"from {day}: {listed}{' and tiers' if tiers else ''}")
    fee = standard.get(REQUEST_FEE)
    if fee is not None:
        base = fee.get("base") if tiered(fee) else fee
        said.append(f"and {text(base)} dollars per 1000 requests, not counted here")
    return "; ".join(said)


def render(head, providers):
    """One model a line, so that a refresh reads well as a diff."""
    lines = ["{"]
    lines += [f"  {quoted(key)}: {quoted(value)}," for key, value in head.items()]
    lines.append('  "providers": {')
    lines.append(",\n".join(
        f"    {quoted(provider)}: {{\n"
        + ",\n".join(f"      {quoted(name)}: {quoted(row)}" for name, row in models.items())
        + "\n    }"
        for provider, models in providers.items()
    ))
    lines += ["  }", "}", ""]
    return "\n".join(lines)


def quoted(value):
    return json.dumps(value, ensure_ascii=False)


if __name__ == "__main__":
    main()
