"""Name a session by its account and its workflow execution, both UUIDs."""

from worker.providers import _fields

_SEPARATOR = "."


def join(account: object, workflow: object) -> str | None:
    """Return the session that two ids name as Jumio spelt them, None if one is none."""
    if _fields.canonical_uuid(account) and _fields.canonical_uuid(workflow):
        return f"{account}{_SEPARATOR}{workflow}"
    return None


def split(spelling: object) -> tuple[str, str] | None:
    """Return account and workflow execution of a session, None of anything else."""
    if not isinstance(spelling, str):
        return None
    account, _, workflow = spelling.partition(_SEPARATOR)
    return (account, workflow) if join(account, workflow) else None


def canonical(spelling: object) -> str | None:
    """Return *spelling* in lower case if it names a session, else None."""
    parts = split(spelling)
    return None if parts is None else _SEPARATOR.join(parts).lower()
