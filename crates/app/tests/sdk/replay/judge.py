"""Asks for one case and judges what came: passed, failed or left out. Runs in worker processes."""

import warnings

from . import clients, compare, errors, turns

# The SDKs of this process, and where the provider is when an SDK asks it without the gateway.
state = {}


def begin(base, port):
    """Makes the SDKs of a worker."""
    warnings.simplefilter("ignore")
    state["sdks"] = {name: client(base) for name, client in clients.ALL.items()}
    state["base"], state["port"] = base, port


def judge(case):
    """Returns `(verdict, group, detail)`."""
    try:
        return {"answer": answer, "error": errors.judge, "turn": turns.judge}[case["kind"]](case, state)
    except Exception as error:  # noqa: BLE001 a case that cannot be judged has failed
        return "failed", f"the harness: {type(error).__name__}", repr(error)[:600]


def answer(case, state):
    """Judges an answer."""
    client, expected = case["client"], case["expected"]
    sdk = state["sdks"][client]
    verbatim = sdk.dialect == case["dialect"]
    wants_error = bool(expected.error) or case["mode"] == "drop"
    try:
        got = sdk.ask(f"{case['provider']}/{case['model']}", case["stream"], verbatim)
    except clients.RAISED as error:
        if wants_error or says_nothing(expected) and errors.code(error) == "empty_answer":
            return "passed", None, None
        return "failed", f"raised {type(error).__name__} {errors.code(error)}", repr(error)[:400]
    except Exception as error:  # noqa: BLE001 whatever an SDK does with an answer is a finding
        if verbatim and clients.refuses_itself(case, state["port"]):
            return "excluded", "the SDK cannot read this answer of its own provider either", None
        return "failed", f"the SDK broke: {type(error).__name__}", repr(error)[:400]
    if wants_error:
        return "failed", "an error was expected", f"expected {expected.error or 'an error after the cut'}, got {got}"[:600]
    found, allowed = compare.differences(expected, got, client, verbatim)
    if not found:
        return "passed", None, sorted(allowed)
    fields = ", ".join(sorted({field for field, *_ in found}))
    detail = "; ".join(f"{field}: expected {one!r:.300}, got {other!r:.300}" for field, one, other in found)
    return "failed", f"differs in {fields}", detail


def says_nothing(expected):
    """Whether an answer came to an end of its own without saying anything: that is a failure."""
    first = expected.first()
    return not first.text and not first.calls and not first.refused
