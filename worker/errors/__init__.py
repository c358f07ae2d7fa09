"""
Name everything that can go wrong, and what is to be done about it.

    KycError
    ├── ConfigurationError          a sentence for the person who configures
    ├── BeginRefused                a session cannot be begun as asked
    ├── CallbackError               the ingress refuses a callback
    │   ├── AuthenticationError       401, one body for every cause
    │   ├── MalformedBody             400, not one JSON object
    │   ├── UnmappableCallback        503, authentic but not in our table
    │   └── TicketRefused             a return that we did not prepare
    ├── FetchError                  a provider's answer is not a result
    │   ├── ProviderUnreachable       no answer at all
    │   ├── ProviderTimeout           no answer in time
    │   ├── ProviderFault             5xx and other answered faults
    │   ├── RateLimited               429
    │   ├── BadAnswer                 not the documented kind of answer
    │   │   └── BeginInDoubt            of a begin, which may have begun something
    │   ├── AccountRefused            our credentials or our subscription
    │   ├── NoSuchSession             the provider denies the session
    │   ├── NotReady                  the result is still being made
    │   │   └── NotAsked                it may be asked for only later
    │   ├── ResultMismatch            another session's or company's result
    │   ├── BadResultSignature        a signed answer that does not verify
    │   └── MappingCrashed            our own mapping raised on the answer
    └── TransportError              Kafka
        ├── KafkaUnavailable          no acknowledgement in time
        │   └── KafkaUnauthorised       a right is missing, which the broker denies us
        ├── OwnershipLost             another owner has fenced this partition
        ├── CommitInDoubt             the outcome of a commit is not known
        ├── ProducerRetired           replaced before its next transaction
        ├── TransactionHangs          a broker forgot to end a transaction
        ├── PositionLost              the position fell out of the retention
        ├── TopicMismatch             a topic differs from what is configured
        ├── UnknownVersion            a record of a version we do not know
        ├── LedgerUnreadable          a ledger record that no worker wrote
        └── RecordTooLarge            refused before a transaction begins

Every class carries a *reason*, a fixed word that may be a metric label, and a
*disposition*, what the pipeline does about it. Nobody asks for the class.
Messages never hold a body, a header, a query or a secret.
"""

from worker.errors.base import (
    ConfigurationError,
    Disposition,
    InvalidBeginRequest,
    KycError,
)
from worker.errors.callbacks import (
    AuthCause,
    AuthenticationError,
    CallbackError,
    InvalidTicket,
    MalformedBody,
    TicketCause,
    UnmappableCallback,
)
from worker.errors.fetching import (
    BadResultSignature,
    BeginInDoubt,
    FetchError,
    InvalidResponse,
    MappingCrashed,
    NotReady,
    ProviderAuthFailed,
    ProviderFault,
    ProviderTimeout,
    ProviderUnreachable,
    RateLimited,
    ResultMismatch,
    SessionNotFound,
    Unsent,
)
from worker.errors.transport import (
    CommitInDoubt,
    HangingTransaction,
    KafkaUnauthorised,
    KafkaUnavailable,
    LedgerUnreadable,
    OwnershipLost,
    PositionLost,
    ProducerRetired,
    RecordTooLarge,
    TopicMismatch,
    TransportError,
    UnknownVersion,
)

__all__ = [
    "AuthCause",
    "AuthenticationError",
    "BadResultSignature",
    "BeginInDoubt",
    "CallbackError",
    "CommitInDoubt",
    "ConfigurationError",
    "Disposition",
    "FetchError",
    "HangingTransaction",
    "InvalidBeginRequest",
    "InvalidResponse",
    "InvalidTicket",
    "KafkaUnauthorised",
    "KafkaUnavailable",
    "KycError",
    "LedgerUnreadable",
    "MalformedBody",
    "MappingCrashed",
    "NotReady",
    "OwnershipLost",
    "PositionLost",
    "ProducerRetired",
    "ProviderAuthFailed",
    "ProviderFault",
    "ProviderTimeout",
    "ProviderUnreachable",
    "RateLimited",
    "RecordTooLarge",
    "ResultMismatch",
    "SessionNotFound",
    "TicketCause",
    "TopicMismatch",
    "TransportError",
    "UnknownVersion",
    "UnmappableCallback",
    "Unsent",
]
