"""The published descriptions of requests, and what is wrong with a request by them."""

import json
import re

import botocore.session
import botocore.validate
import jsonschema_rs


class Schemas:
    """The descriptions that are at hand; Cohere's and Ollama's are not."""

    def __init__(self, folder):
        openai = load(f"{folder}/openai.json")
        anthropic = load(f"{folder}/anthropic.yml")
        discovery = load(f"{folder}/gemini.discovery.json")["schemas"]
        bedrock = botocore.session.get_session().get_service_model("bedrock-runtime")
        shape = bedrock.operation_model("Converse").input_shape
        # What Anthropic takes with a beta header is a description of its own.
        self.checks = {
            "chat": [of_schema(openai, "CreateChatCompletionRequest")],
            "responses": [of_schema(openai, "CreateResponse")],
            "messages": [of_schema(anthropic, "CreateMessageParams"), of_schema(anthropic, "BetaCreateMessageParams")],
            "generateContent": [lambda body: list(filter(None, [of_discovery(discovery, "GenerateContentRequest", body, "")]))],
            "converse": [lambda body: of_shape(shape, body)],
        }

    def knows(self, api):
        """Whether there is a description of an API."""
        return api in self.checks

    def problems(self, api, body):
        """Returns what is wrong with a body; nothing where it fits one of the descriptions."""
        found = []
        for check in self.checks.get(api, []):
            found = check(body)
            if not found:
                return []
        return found


def load(path):
    """Reads a description; all of them are JSON, whatever they are called."""
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def of_schema(document, name):
    """Returns a check against a schema of an OpenAPI document."""
    components = json.loads(json.dumps(document["components"]), object_hook=nullable)
    validator = jsonschema_rs.validator_for({"$ref": f"#/components/schemas/{name}", "components": components})

    known = fields(components["schemas"], {"$ref": f"#/components/schemas/{name}"})

    def check(body):
        # The schemas let unknown fields pass, the hosts do not.
        unknown = [f"{field}: unknown" for field in body if field not in known]
        return unknown + sorted((deepest(error) for error in validator.iter_errors(body)), key=len)

    return check


def fields(schemas, schema):
    """Returns the names of a schema's fields, its parts' included."""
    if "$ref" in schema:
        schema = schemas[schema["$ref"].rsplit("/", 1)[-1]]
    parts = [part for word in ("allOf", "anyOf") for part in schema.get(word, [])]
    return set(schema.get("properties", {})).union(*(fields(schemas, part) for part in parts))


def nullable(value):
    """Writes OpenAPI's older word for null as JSON Schema does, and one of several as any of them: the
    published alternatives overlap, so that plain messages fit two of them."""
    if isinstance(value.get("oneOf"), list):
        value["anyOf"] = value.pop("oneOf")
    if value.pop("nullable", None) is True:
        return {"anyOf": [value, {"type": "null"}]}
    return value


def deepest(error):
    """Returns where and what, in the alternative that fits best; indexes are left out so that like
    errors count together."""
    alternatives = getattr(error.kind, "context", None)
    if alternatives:
        # The alternative that is meant is the one whose complaint lies deepest.
        best = max(alternatives, key=lambda errors: min((len(inner.instance_path) for inner in errors), default=0))
        if best:
            return deepest(max(best, key=lambda inner: len(inner.instance_path)))
    path = ".".join("[]" if isinstance(step, int) else str(step) for step in error.instance_path)
    return re.sub(r"\b[a-f0-9]{16}\b", "…", f"{path}: {error.message[:160]}")


def of_discovery(schemas, name, value, path):
    """Returns what is wrong with a value by Google's description: unknown fields, types, words."""
    schema = schemas[name] if isinstance(name, str) else name
    if "$ref" in schema:
        return of_discovery(schemas, schema["$ref"], value, path)
    kind = schema.get("type")
    if kind == "object" and "properties" in schema:
        if not isinstance(value, dict):
            return f"{path}: not an object"
        for field, inner in value.items():
            if field not in schema["properties"]:
                return f"{path}.{field}: unknown"
            found = of_discovery(schemas, schema["properties"][field], inner, f"{path}.{field}")
            if found:
                return found
        return None
    if kind == "object":
        extra = schema.get("additionalProperties")
        entries = value.values() if isinstance(value, dict) and extra else ()
        found = (of_discovery(schemas, extra, inner, f"{path}.*") for inner in entries)
        return next((one for one in found if one), None if isinstance(value, dict) else f"{path}: not an object")
    if kind == "array":
        if not isinstance(value, list):
            return f"{path}: not a list"
        found = (of_discovery(schemas, schema["items"], inner, f"{path}[]") for inner in value)
        return next((one for one in found if one), None)
    types = {"string": str, "boolean": bool, "integer": int, "number": (int, float)}
    if kind in types:
        # A 64-bit number is a text in Google's JSON; a number is taken too.
        whole = schema.get("format") in ("int64", "uint64") and isinstance(value, int)
        if not isinstance(value, types[kind]) and not whole or isinstance(value, bool) and kind != "boolean":
            return f"{path}: {type(value).__name__} for {kind}"
        if "enum" in schema and value not in schema["enum"]:
            return f"{path}: unknown word {value!r}"
    return None


def of_shape(shape, body):
    """Returns what is wrong with a body by Amazon's service model; the model stands in the path."""
    report = botocore.validate.ParamValidator().validate({**body, "modelId": "any"}, shape)
    lines = report.generate_report().split("\n") if report.has_errors() else []
    return [re.sub(r"\[\d+\]", "[]", line)[:200] for line in lines]
