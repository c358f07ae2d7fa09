"""Refuse a source that could be called by anybody, or that mixes test and live."""

import collections
import typing
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from worker import model, signing
from worker.settings import secret, sources, types, urls

#: Where each authenticator finds what it compares with.
_MATERIAL: Mapping[sources.Authenticator, str] = {
    "hmac_body": "hmac_secrets",
    "standard_webhooks": "standard_webhook_secrets",
    "signed_url": "url_secrets",
    "body_key": "callback_api_keys",
    "basic": "basic_credentials",
    "ip_allow": "ip_allow",
}
_URL_SECRET_MIN_BYTES = 32
_STANDARD_SECRET_MIN_BYTES = 24
#: of what is compared as it was sent, and may have been made by a provider or a person
_SHARED_TEXT_MIN_BYTES = 16
#: What callers prove themselves with: never shared, never copied.
_INBOUND = (
    "url_secrets",
    "hmac_secrets",
    "standard_webhook_secrets",
    "callback_api_keys",
)
# Printed by the Standard Webhooks libraries, seen 2026-11-20. What a provider's own
# documentation prints is in the provider's entry.
_DOCUMENTED = frozenset({"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"})
# "Keys are suffixed with their environment" (id beyond's guide, seen 2026-11-20). Which
# live key is for what the vendor's own documents disagree about: it is their affair.
_TEST_KEYS = ("sk_test_", "pk_test_")
_TEST_LABELS = frozenset({"test", "sandbox"})


class UncheckedSource:
    """
    A source as far as it can be read, so that every problem is found at once.

    *source* may be a source that pydantic refused, built unchecked from its raw
    values: nothing here trusts a type.
    """

    def __init__(
        self,
        source: sources.Source,
        environ: Mapping[str, str],
        role: secret.Role = secret.Role.ALL,
    ) -> None:
        self.source = source
        self._environ = environ
        self._role = role

    def values(self, field: str) -> list[object]:
        """Return the entries of *field*, one for a single value, none for none."""
        match getattr(self.source, field, None):
            case None:
                return []
            case list() | tuple() as values:
                return list(values)
            case value:
                return [value]

    def texts(self, field: str) -> Iterator[tuple[int, str]]:
        """Yield position and text of each secret of *field* that this process reads."""
        held = type(self.source).model_fields.get(field)
        policy = None if held is None else secret.readers(held)
        if policy is not None and not policy.allows(self._role):
            return
        for position, value in enumerate(self.values(field)):
            if isinstance(value, types.Secret):
                if not value.withheld:
                    yield position, value.reveal()
            elif isinstance(value, str):
                try:
                    yield position, types.resolve(value, self._environ)
                except ValueError:
                    continue  # reported with its key already

    @property
    def authenticators(self) -> tuple[sources.Authenticator, ...]:
        """Return what every callback must pass; nothing where that is not known."""
        try:
            return tuple(self.source.authenticators)
        except (AttributeError, TypeError):
            return ()

    @property
    def live(self) -> bool:
        """Return whether the persons are real."""
        return is_live(self.source)


def is_live(source: sources.Source) -> bool:
    """Return whether the persons of *source*, which may be unchecked, are real."""
    return getattr(source, "environment", None) == model.Environment.LIVE


def conflicts(
    view: UncheckedSource, documented: Collection[str]
) -> Iterator[types.FieldConflict]:
    """Yield why *view* must not start; *documented* are secrets known to be public."""
    yield from _authentication(view)
    for field in _INBOUND:
        for position, text in view.texts(field):
            if weakness := _weakness(view.source, field, text, documented):
                yield types.FieldConflict((f"{field}[{position}]",), weakness)
    for position, text in view.texts("basic_credentials"):
        key = f"basic_credentials[{position}]"
        user, _, password = text.partition(":")
        if not user or not password:
            yield types.FieldConflict((key,), 'must be "user:password"')
        elif weakness := _short(len(password.encode()), _SHARED_TEXT_MIN_BYTES):
            yield types.FieldConflict((key,), f"has a password that {weakness}")
    if types.everybody(_networks(view)):
        yield types.FieldConflict(
            ("ip_allow",),
            "must not hold every address: name the networks that the provider calls"
            " from",
        )
    if view.live:
        yield from _live(view)
    if "GET" in view.values("methods") and not view.values("session_id_query"):
        yield types.FieldConflict(
            ("session_id_query", "methods"),
            "is missing: with GET in methods, name the query parameter that holds"
            " the session id",
        )


def _authentication(view: UncheckedSource) -> Iterator[types.FieldConflict]:
    used = view.authenticators
    if set(used) == {"ip_allow"}:
        yield types.FieldConflict(
            ("authenticate",),
            "must not be ip_allow alone: an address proves too little, add another",
        )
    for authenticator, field in _MATERIAL.items():
        present = bool(view.values(field))
        fetched = authenticator == "hmac_body" and view.source.fetches_keys
        if authenticator in used and not present and not fetched:
            yield types.FieldConflict(
                (field, "authenticate"),
                f"is empty: the authenticator {authenticator} needs at least one entry",
            )
        if used and authenticator not in used and present:
            yield types.FieldConflict(
                (field, "authenticate"),
                f"is set, and authenticate does not list {authenticator}:"
                " list it there or remove this",
            )


def _weakness(
    source: sources.Source, field: str, text: str, documented: Collection[str]
) -> str | None:
    """Return why the secret *text* is refused, never the text."""
    if text in _DOCUMENTED or text in documented:
        return "is copied from public documentation: make a new one"
    if field == "standard_webhook_secrets":
        try:
            key = signing.decode_standard_key(text)
        except ValueError:
            return "must be whsec_ followed by base64"
        return _short(len(key), _STANDARD_SECRET_MIN_BYTES, " after base64")
    least = {
        "url_secrets": _URL_SECRET_MIN_BYTES,
        "hmac_secrets": source.hmac_secret_min_bytes,
        "callback_api_keys": _SHARED_TEXT_MIN_BYTES,
    }
    return _short(len(text.encode()), least.get(field, 0))


def _short(length: int, least: int, unit: str = "") -> str | None:
    if length >= least:
        return None
    return f"is too short: make a new one of at least {least} random bytes{unit}"


def _networks(view: UncheckedSource) -> list[types.AnyNetwork]:
    """Return the networks of ``ip_allow`` that are some."""
    return [
        value
        for value in view.values("ip_allow")
        if isinstance(value, types.AnyNetwork)
    ]


def _live(view: UncheckedSource) -> Iterator[types.FieldConflict]:
    yield from _demonstration(view)
    for name, field in type(view.source).model_fields.items():
        if name in _INBOUND or not _holds_secret(field.annotation):
            continue
        if any(text.startswith(_TEST_KEYS) for _, text in view.texts(name)):
            yield types.FieldConflict(
                (name, "environment"),
                "is a test key, and the source is live: use the live key",
            )
    for host in view.source.host_settings:
        if any(map(_is_test_host, view.values(host))):
            yield types.FieldConflict(
                (host, "environment"),
                "is a test host, and the source is live: use the live host",
            )
    for position, origin in enumerate(view.values("return_origins")):
        if isinstance(origin, str) and urls.loopback(origin):
            yield types.FieldConflict(
                (f"return_origins[{position}]", "return_origins", "environment"),
                "is this machine, and the source is live: use the page's own origin",
            )


def _demonstration(view: UncheckedSource) -> Iterator[types.FieldConflict]:
    """Yield what stands in deploy/compose.yaml, for everybody to read."""
    for name in (*_INBOUND, "basic_credentials"):
        for position, text in view.texts(name):
            if secret.DEMONSTRATION in text:
                yield types.FieldConflict(
                    (f"{name}[{position}]", name, "environment"),
                    "is the demonstration's, which everybody knows, and the source is"
                    " live: make a new one",
                )


def _is_test_host(url: object) -> bool:
    """Return whether *url* is this machine, or has a name that says test."""
    return isinstance(url, str) and (
        urls.loopback(url) or not _TEST_LABELS.isdisjoint(urls.host_of(url).split("."))
    )


def _holds_secret(annotation: object) -> bool:
    return annotation is types.Secret or any(
        _holds_secret(part) for part in typing.get_args(annotation)
    )


def reused_secrets(
    views: Mapping[str, UncheckedSource],
) -> Iterator[tuple[str, str, list[str]]]:
    """Yield source, key and the other keys, where two sources share a secret."""
    places: dict[str, list[tuple[str, str]]] = collections.defaultdict(list)
    for source, view in views.items():
        for field in _INBOUND:
            for position, text in view.texts(field):
                places[text].append((source, f"{field}[{position}]"))
    for found in places.values():
        if len({source for source, _ in found}) > 1:
            source, key = found[0]
            yield source, key, [f"sources.{one}.{two}" for one, two in found[1:]]


def build_unchecked(
    source_type: type[sources.Source], table: Mapping[str, Any]
) -> sources.Source:
    """Return a source of *table* with defaults and without any check."""
    known = {key: table[key] for key in source_type.model_fields if key in table}
    return source_type.model_construct(**known)
