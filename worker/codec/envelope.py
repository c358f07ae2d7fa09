"""Put CloudEvents 1.0 attributes into a record's headers (Kafka binding, binary)."""

import functools
import random
import re
from collections.abc import Iterable

from worker import clock, model

Headers = list[tuple[str, bytes]]
#: What a consumer is handed: a foreign header's value may be missing.
ForeignHeaders = Iterable[tuple[str, bytes | None]]

# W3C Trace Context, version 00: the only one whose length is fixed.
_TRACEPARENT = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


def headers(
    *,
    ce_type: str,
    ce_id: str,
    source: str,
    subject: str | None,
    at_ms: int,
    schema: str,
    environment: model.Environment | None,
    key: bytes,
    traceparent: str | None = None,
) -> Headers:
    """Return the headers of one record; *subject* is its session, if it has one."""
    made = [
        *_constant(ce_type, source, schema, environment),
        ("ce_id", ce_id.encode()),
        ("ce_time", clock.format_rfc3339(at_ms).encode()),
        ("ce_partitionkey", key),
    ]
    if subject is not None:
        made.append(("ce_subject", subject.encode()))
    if traceparent is not None:
        made.append(("traceparent", traceparent.encode()))
    return made


@functools.lru_cache(maxsize=1024)
def _constant(
    ce_type: str, source: str, schema: str, environment: model.Environment | None
) -> tuple[tuple[str, bytes], ...]:
    """Return what is the same in every record of one type and source."""
    fixed = {
        "ce_specversion": "1.0",
        "ce_type": ce_type,
        "ce_source": f"/kyc/{source}",
        "ce_dataschema": schema,
        "content-type": "application/json",
    }
    if environment is not None:
        fixed["ce_environment"] = environment.value
    return tuple((name, text.encode()) for name, text in fixed.items())


def header(found: ForeignHeaders, name: str) -> str | None:
    """Return the first *name* among the headers *found*, if it is text."""
    for held, value in found:
        if held == name and value is not None:
            try:
                return value.decode()
            except UnicodeDecodeError:
                return None
    return None


def traceparent(found: ForeignHeaders) -> str | None:
    """Return the trace that *found* continue; a malformed one is as good as none."""
    value = header(found, "traceparent")
    return value if value is not None and _TRACEPARENT.fullmatch(value) else None


def new_traceparent() -> str:
    """
    Return a new W3C trace context: a trace starts with us.

    Not sampled: we record no span, and each service that continues it decides itself.
    """
    # Unique, not secret: a trace authorises nothing.
    trace, span = random.getrandbits(128), random.getrandbits(64)
    return f"00-{trace:032x}-{span:016x}-00"
