"""Secrets that have to be used again (of webhooks, of shops), encrypted while they are stored.

The key is derived from the hash key, which lies beside the database and not in it: whoever reads a copy of the database
reads no secret.
"""

from __future__ import annotations

import base64

from cryptography.fernet import Fernet, InvalidToken

from features.errors import ReturnwiseError
from features.ledger.identity import KeyHasher


class SealError(ReturnwiseError):
    """A stored secret cannot be read."""


class Sealer:
    """Encrypts and decrypts (Fernet: AES-128-CBC with HMAC-SHA256).

    >>> sealer = Sealer(KeyHasher(b"a key for this example only"))
    >>> sealer.open(sealer.seal("whsec_abc"))
    'whsec_abc'
    """

    def __init__(self, hasher: KeyHasher) -> None:
        self._fernet = Fernet(base64.urlsafe_b64encode(hasher.subkey(b"stored secrets")))

    def seal(self, secret: str) -> str:
        """A text to store; another one each time."""
        return self._fernet.encrypt(secret.encode()).decode()

    def open(self, sealed: str) -> str:
        """The secret.

        Raises:
            SealError: it was sealed with another key, or changed.
        """
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise SealError("a stored secret cannot be read: it was sealed with another hash key") from None
