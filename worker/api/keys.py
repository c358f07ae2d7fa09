"""Find out which of the configured keys a caller has."""

import dataclasses
import hashlib
import hmac
from collections.abc import Sequence

from worker import settings

_SCHEME = "bearer"
_LENGTH_MAX = 512


@dataclasses.dataclass(frozen=True, slots=True)
class Keys:
    """The keys that are valid; only their digests are known here."""

    known: Sequence[settings.ApiKey]

    def find(self, presented: Sequence[str]) -> settings.ApiKey | None:
        """
        Return the key that *presented*, all values of ``Authorization``, holds.

        Takes the same time whichever it is, and where it is none. None where there
        is not exactly one value, of the scheme ``Bearer``.
        """
        scheme, _, key = presented[0].partition(" ") if presented else ("", "", "")
        if len(presented) != 1 or scheme.lower() != _SCHEME or len(key) > _LENGTH_MAX:
            return None
        told = hashlib.sha256(key.strip().encode("utf-8", "surrogatepass")).hexdigest()
        found = None
        for each in self.known:
            if hmac.compare_digest(each.sha256, told):
                found = each
        return found
