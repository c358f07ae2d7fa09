"""
Speak with id beyond (Uniicy): the signed callback is the verdict, or a result call.

No result call is documented, so the callback is the default; where a company has been
told of one, ``result = "fetch"`` makes the callback a mere wake-up. Never both.
"""

import enum
import re
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Literal

import pydantic

from worker import clock as clocks
from worker import errors, model, policy, signing
from worker.providers import _entry, _fields, _http, idbeyond_begin
from worker.settings import sources, types

# Vendor guide, seen 2026-11-20: raw HMAC-SHA256 hex digest of the body, no prefix.
SIGNATURE = signing.SignatureScheme("X-Verification-Signature")

_COMPLETED = "verification.completed"
_EXTRACTION = "verification.extraction"  # personal data, and no verdict
_SESSION = "verificationSessionId"
_KEYS = frozenset(
    {
        "event",
        _SESSION,
        "externalUserId",
        "decision",
        "reviewStatus",
        "rationale",
        "metadata",
        "timestamp",
    }
)
# Vendor guide and the vendor's operator starter, seen 2026-11-20.
DECISIONS = frozenset({"approved", "rejected"})
REVIEW_STATUSES = frozenset(
    {"none", "pending_review", "pending", "approved", "rejected"}
)
_SIGNED = frozenset({"hmac_body", "standard_webhooks"})
_PLACEHOLDER = "{session_id}"
#: Segments of plain characters; one holds the session, none makes it another host.
_PATH = re.compile(
    r"(?:/[\w.~-]+)*/[\w.~-]*\{session_id\}[\w.~-]*(?:/[\w.~-]+)*/?", re.ASCII
)


class _Row(enum.Enum):
    """What a pair of words means."""

    APPROVED = enum.auto()
    DECLINED = enum.auto()
    REVIEW = enum.auto()
    PROGRESS = enum.auto()


#: (decision, reviewStatus); None is absent. Whatever is not here is no verdict. The
#: vendor's starter lets ``decision`` win over ``reviewStatus``; we do not.
_ROWS: Mapping[tuple[str | None, str | None], _Row] = {
    ("approved", "approved"): _Row.APPROVED,
    ("approved", None): _Row.APPROVED,
    ("rejected", "rejected"): _Row.DECLINED,
    ("rejected", None): _Row.DECLINED,
    ("rejected", "pending_review"): _Row.REVIEW,
    ("rejected", "pending"): _Row.REVIEW,
    (None, "rejected"): _Row.DECLINED,
    (None, "pending_review"): _Row.REVIEW,
    (None, "pending"): _Row.REVIEW,
    (None, "none"): _Row.PROGRESS,
    (None, None): _Row.PROGRESS,
}


class Settings(idbeyond_begin.Organisation):
    """One organisation at id beyond."""

    deadline_after_expiry: ClassVar[bool] = True
    #: the vendor's own minimum (operator starter, seen 2026-11-20)
    hmac_secret_min_bytes: ClassVar[int] = 16

    provider: Literal["idbeyond"] = "idbeyond"
    result: Literal["callback", "fetch"] = "callback"
    #: not documented: ask the vendor before ``result = "fetch"``
    result_path: str = f"/api/verification/sessions/{_PLACEHOLDER}"
    #: without ``decision``, believe ``reviewStatus = approved`` (as the starter does)
    approve_on_review_status: bool = False

    @property
    def default_authenticate(self) -> tuple[sources.Authenticator, ...]:
        """Return ``hmac_body``, the only documented callback signature of the four."""
        return ("hmac_body",)

    @property
    def fetches(self) -> bool:
        """Return whether the result is fetched; by default the callback is it."""
        return self.result == "fetch"

    @pydantic.field_validator("result_path")
    @classmethod
    def _check_path(cls, path: str) -> str:
        if not _PATH.fullmatch(path):
            raise ValueError("must be a plain path that holds {session_id} once")
        return path

    def conflicts(self) -> Iterable[types.Conflict]:
        """Refuse a callback that is the verdict and that nobody has signed."""
        yield from super().conflicts()
        if not self.fetches and not _SIGNED & set(self.authenticators):
            yield types.Conflict(
                ("authenticate", "result"),
                "must hold hmac_body or standard_webhooks: with result = "
                '"callback" the callback itself is the verdict',
            )


class Adapter:
    """One organisation's adapter."""

    def __init__(self, source: str, settings: Settings, clock: clocks.Clock) -> None:
        self._source = source
        self._settings = settings
        self._http = _http.Http(
            base_url=settings.base_url,
            timeout_ms=settings.fetch_timeout,
            limit_bytes=settings.max_answer_bytes,
            clock=clock,
        )

    def canonical(self, spelling: object) -> str | None:
        """Return the session id that *spelling* names, None against the pattern."""
        return _fields.canonical_uuid(spelling)

    def normalise(self, callback: model.VerifiedCallback) -> model.Normalised:
        """
        Make of a callback a wake-up that carries the words of the table.

        Raises errors.UnmappableCallback without a session id, and, where callbacks
        are verdicts, for an event not known (then to be acknowledged).
        """
        document = callback.document or {}
        event = document.get("event")
        if event == _EXTRACTION:
            return model.Ignored(_EXTRACTION)
        spelling = document.get(_SESSION)
        session_id = _fields.canonical_uuid(spelling)
        if session_id is None:
            raise _fields.unmappable(document, _KEYS)
        if event != _COMPLETED and not self._settings.fetches:
            raise _fields.unmappable(document, _KEYS, acknowledge=True)
        return model.Wake(
            session_id=session_id,
            provider_session_id=str(spelling),
            provider_event=_COMPLETED if event == _COMPLETED else policy.UNLISTED,
            provider_time=_fields.rfc3339_ms(document.get("timestamp")),
            reference=self._reference(document),
            begin_id=idbeyond_begin.begin_id_of(document),
            claim=_words(document),
        )

    def claim(self, event: model.Event) -> model.Claim | None:
        """Return the signed verdict, or None where the result is fetched."""
        if self._settings.fetches or event.provider_event != _COMPLETED:
            return None
        verdict, alarms = self._map(event.claim, event.provider_time)
        return model.Claim(model.ClaimKind.SIGNED, verdict, alarms)

    async def fetch(
        self,
        session: model.SessionKey,
        spelling: str,
        *,
        fresh_since: int | None = None,
    ) -> model.Answer:
        """Ask at ``result_path``; raises errors.FetchError, and may be repeated."""
        del session, fresh_since  # it is asked with its own spelling, each time anew
        if _fields.canonical_uuid(spelling) is None:
            raise errors.NoSuchSession("malformed_id")
        path = self._settings.result_path.replace(_PLACEHOLDER, spelling)
        key = self._settings.api_key.reveal()
        answer = await self._http.request(
            "GET", path, headers={"Authorization": f"Bearer {key}"}
        )
        # The path is a guess: its 404 does not prove that the session is unknown.
        if answer.status == 404:  # noqa: PLR2004 -- HTTP
            raise errors.ProviderFault("not_found")
        if answer.status != 200:  # noqa: PLR2004 -- HTTP
            raise _http.refusal(answer)
        document = _http.parse_object(answer.body)
        return model.Answer(document=document, observed_at=answer.received_at)

    def interpret(
        self, session: model.SessionKey, spelling: str, answer: model.Answer
    ) -> model.Result:
        """
        Map a result that is this session's, by the table of the callbacks.

        Raises errors.ResultMismatch where it is another's or does not say whose,
        errors.BadAnswer where it is no object.
        """
        del spelling
        document = answer.document
        if not isinstance(document, dict):
            raise errors.BadAnswer("not_an_object")
        names = (_SESSION, "sessionId", "id")
        told = [document[name] for name in names if name in document]
        if not told:
            raise errors.ResultMismatch("absent")
        if any(_fields.canonical_uuid(value) != session.session_id for value in told):
            raise errors.ResultMismatch("differs")
        at_ms = _fields.rfc3339_ms(document.get("timestamp"))
        verdict, alarms = self._map(_words(document), at_ms)
        return model.Result(
            verdict=verdict,
            observed_at=answer.observed_at,
            reference=self._reference(document),
            alarms=alarms,
        )

    async def close(self) -> None:
        """Close the connections; idempotent."""
        await self._http.close()

    def _map(
        self, words: Mapping[str, str | None], at_ms: int | None
    ) -> tuple[model.Verdict, tuple[model.AlarmKind, ...]]:
        """Return the verdict on the pair of *words*, contradictions never approved."""
        decision = policy.listed(words.get("decision"), DECISIONS)
        review = policy.listed(words.get("reviewStatus"), REVIEW_STATUSES)
        status = review if decision is None else decision
        row = _ROWS.get((decision, review))
        on_review = (decision, review) == (None, "approved")
        if on_review and self._settings.approve_on_review_status:
            row = _Row.APPROVED
        match row:
            case _Row.APPROVED:
                return policy.approved(status=status, provider_time=at_ms), ()
            case _Row.DECLINED:
                reason = model.Reason.DECLINED
                return policy.rejected(reason, status=status, provider_time=at_ms), ()
            case _Row.REVIEW:
                reason = model.Reason.UNDER_REVIEW
                return policy.pending(reason, status=status, provider_time=at_ms), ()
            case _Row.PROGRESS:
                reason = model.Reason.IN_PROGRESS
                return policy.pending(reason, status=status, provider_time=at_ms), ()
            case None:
                unlisted = on_review or policy.UNLISTED in (decision, review)
                reason = model.Reason.UNRECOGNISED_RESULT
                return policy.pending(reason, status=status, provider_time=at_ms), (
                    model.AlarmKind.UNRECOGNISED_RESULT
                    if unlisted
                    else model.AlarmKind.CONTRADICTORY_RESULT,
                )

    def _reference(self, document: Mapping[str, Any]) -> str | None:
        """Return the company's own id out of the echoed ``metadata``."""
        name = self._settings.reference_field
        if name is None:
            return None
        metadata = _fields.table(document, "metadata")
        return _fields.reference(metadata.get(name), self._settings.reference_pattern)


def _words(document: Mapping[str, Any]) -> dict[str, str | None]:
    """
    Return the words of the table that *document* holds; None is absent.

    The vendor's table has null for ``decision`` alone: a null ``reviewStatus`` is
    another shape, and so ``unlisted``.
    """
    review = document.get("reviewStatus", _ABSENT)
    if review is _ABSENT:
        review = None
    elif review is None:
        review = policy.UNLISTED
    return {
        "decision": policy.listed(document.get("decision"), DECISIONS),
        "reviewStatus": policy.listed(review, REVIEW_STATUSES),
    }


_ABSENT = object()

ENTRY = _entry.ProviderEntry(
    name="idbeyond",
    settings_type=Settings,
    build=Adapter,
    build_beginner=idbeyond_begin.Beginner,
    signature=SIGNATURE,
    # Integration guide, seen 2026-11-20: ?session_id=…&status=… is appended.
    return_query="session_id",
    # The value of the vendor's own sample; long enough to be taken for a real one.
    documentation_secrets=frozenset({"change-me-min-16-chars-random"}),
)
