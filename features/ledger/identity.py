"""Keyed hashes of e-mail, address, payment and device, so that the ledger never holds the raw values."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from features.ledger.errors import LedgerError
from features.settings import Settings

KEY_FILE = "hash.key"
_DIGEST_SIZE = 16
_LONGEST_KEY = 64  # of blake2b


class KeyHasher:
    """Turns a raw identity into 32 hexadecimal characters that only the holder of the key can make.

    The same text hashes differently as an e-mail and as an address, so that a value typed into the wrong field links
    nobody. Surrounding white space does not count, nor does the case of an e-mail. Nothing (None, or only white space)
    stays None.

    >>> hasher = KeyHasher(b"a key for this example only")
    >>> hasher.email(" Ann@Example.com") == hasher.email("ann@example.com")
    True
    >>> hasher.address("x") == hasher.device("x")
    False
    >>> hasher.payment("  ") is None
    True
    """

    def __init__(self, key: bytes) -> None:
        if not key:
            raise LedgerError("the hash key is empty")
        if len(key) > _LONGEST_KEY:
            key = hashlib.blake2b(key).digest()
        self._key = key
        self.email = self._for("email", lower=True)
        self.address = self._for("address")
        self.payment = self._for("payment")
        self.device = self._for("device")
        #: Of a customer id: where something is kept that must not name the customer.
        self.customer = self._for("customer")

    @classmethod
    def open(cls, settings: Settings, *, make: bool = True) -> KeyHasher:
        """The hasher with the key of the settings, or of the file `hash.key` in the home, made if missing and `make`.

        Raises:
            LedgerError: the file holds no key, cannot be made, or is missing and shall not be made.
        """
        if settings.hash_key:
            return cls(settings.hash_key.encode())
        return cls(_key_of_file(settings.home / KEY_FILE, make=make))

    def hashed(self, entity: str, raw: str | None) -> str | None:
        """The hash of `raw` as an `entity`: email, address, payment or device."""
        functions = {"email": self.email, "address": self.address, "payment": self.payment, "device": self.device}
        return functions[entity](raw)

    @property
    def fingerprint(self) -> int:
        """63 bits that tell whether two hashers have the same key, without telling the key."""
        digest = hashlib.blake2b(key=self._key, digest_size=8, person=b"fingerprint").digest()
        return int.from_bytes(digest, "big") >> 1

    def subkey(self, purpose: bytes) -> bytes:
        """32 bytes that only the holder of the key can make, others for each purpose of at most 16 bytes.

        >>> hasher = KeyHasher(b"a key for this example only")
        >>> hasher.subkey(b"one") == hasher.subkey(b"other")
        False
        """
        return hashlib.blake2b(key=self._key, digest_size=32, person=purpose).digest()

    def draw(self, *what: str) -> float:
        """A number from 0 to below 1 that is as good as drawn at random, always the same for the same texts, and that
        only the holder of the key can foresee.

        >>> KeyHasher(b"a key for this example only").draw("check", "2026-11", "R-1") < 1
        True
        """
        keyed = hashlib.blake2b(key=self._key, digest_size=8, person=b"draw")
        for text in what:
            content = text.encode("utf-8", "surrogatepass")
            keyed.update(len(content).to_bytes(8, "big") + content)
        return (int.from_bytes(keyed.digest(), "big") >> 11) / 2**53

    def _for(self, entity: str, *, lower: bool = False) -> Callable[[str | None], str | None]:
        keyed = hashlib.blake2b(key=self._key, digest_size=_DIGEST_SIZE, person=entity.encode())

        def hash_one(raw: str | None) -> str | None:
            text = (raw or "").strip()
            if not text:
                return None
            state = keyed.copy()
            state.update((text.lower() if lower else text).encode("utf-8", "surrogatepass"))
            return state.hexdigest()

        return hash_one


def _key_of_file(path: Path, *, make: bool) -> bytes:
    """The key in `path`; of several processes that find none, one makes it and all read that one."""
    try:
        if make and not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            _make_key_file(path)
        text = path.read_text(encoding="ascii").strip()
        key = bytes.fromhex(text)
    except FileNotFoundError as error:
        raise LedgerError(
            f"the hash key {path} is missing: put the file back, or set RETURNWISE_HASH_KEY to the key"
        ) from error
    except OSError as error:
        raise LedgerError(f"the hash key {path} cannot be read or made: {error.strerror or error}") from error
    except ValueError as error:
        raise LedgerError(f"{path} does not hold a hash key: expected hexadecimal digits") from error
    if len(key) < _DIGEST_SIZE:
        raise LedgerError(f"{path} does not hold a hash key: expected at least {_DIGEST_SIZE * 2} hexadecimal digits")
    return key


def _make_key_file(path: Path) -> None:
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32) + "\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)  # unlike a rename, never replaces a key that somebody else has just made
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    finally:
        draft.unlink()
