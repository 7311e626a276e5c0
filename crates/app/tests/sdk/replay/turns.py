"""Conversations that go on (not there yet)."""


def cases(chosen, clients, served):
    """Makes the cases."""
    return []


def judge(case, state):
    """Judges."""
