"""Seals secrets at rest: a key per tenant, plugin and field, so that a ciphertext copied elsewhere does not open there."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

VERSION = "v1"
MIN_KEY_LENGTH = 32  # characters


class SecretUnreadable(ValueError):
    """A sealed value cannot be opened with any of SECRETS_KEYS. Put the key it was sealed with back, or enter the secret again."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


class SecretBox:
    """Seals with the newest key, opens with any.

    Args:
        keys: secrets of at least 32 characters, newest first; from the environment, never from the database.

    Raises:
        ValueError: there is no key, or one is too short.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        if not keys or any(len(key) < MIN_KEY_LENGTH for key in keys):
            raise ValueError(f"SECRETS_KEYS needs at least one key, each of {MIN_KEY_LENGTH} characters or more.")
        self._keys = tuple(keys)

    def __repr__(self) -> str:
        return f"SecretBox({len(self._keys)} keys)"

    def seal(self, plaintext: str, *, tenant: str, plugin: str, field: str) -> str:
        """`plaintext`, readable only with the same tenant (schema), plugin and field, as "v1:<key id>:<token>"."""
        key = self._keys[0]
        token = _fernet(key, tenant, plugin, field).encrypt(plaintext.encode()).decode()
        return f"{VERSION}:{key_id(key)}:{token}"

    def open(self, sealed: object, *, tenant: str, plugin: str, field: str) -> str:
        """What was sealed.

        Raises:
            SecretUnreadable: sealed for somebody else, tampered with, or with a key that is not here.
        """
        if not isinstance(sealed, str):  # it comes from a JSON column, which takes anything
            raise SecretUnreadable
        version, _, rest = sealed.partition(":")
        wanted, _, token = rest.partition(":")
        for key in self._keys:
            if version == VERSION and key_id(key) == wanted:
                try:
                    return _fernet(key, tenant, plugin, field).decrypt(token.encode()).decode()
                except InvalidToken:
                    raise SecretUnreadable from None
        raise SecretUnreadable

    def needs_rotation(self, sealed: str) -> bool:
        """Whether `sealed` was made with an older key than the newest."""
        return not sealed.startswith(f"{VERSION}:{key_id(self._keys[0])}:")

    def rotate(self, sealed: str, *, tenant: str, plugin: str, field: str) -> str:
        """The same secret under the newest key.

        Raises:
            SecretUnreadable: as `open` does.
        """
        plain = self.open(sealed, tenant=tenant, plugin=plugin, field=field)
        return self.seal(plain, tenant=tenant, plugin=plugin, field=field)

    def sign(self, data: bytes) -> str:
        """A signature of `data` that only who has the newest key can make, as "v1:<key id>:<HMAC-SHA256>"."""
        key = self._keys[0]
        return f"{VERSION}:{key_id(key)}:{_mac(key, data)}"

    def is_signed(self, data: bytes, signature: str) -> bool:
        """Whether `signature` was made for this `data` with any of the keys."""
        given = signature.encode("utf-8", "replace")
        wanted = (f"{VERSION}:{key_id(key)}:{_mac(key, data)}".encode() for key in self._keys)
        return any(hmac.compare_digest(each, given) for each in wanted)

    def position_of(self, sealed: object) -> int | None:
        """With which of the keys `sealed` was made, counted from 1; None: with none of these."""
        name = str(sealed).split(":")[1:2]
        return next((at for at, key in enumerate(self._keys, start=1) if [key_id(key)] == name), None)


def key_id(key: str) -> str:
    """A short name for a key that tells nothing of it."""
    return hashlib.sha256(b"tenantry key id" + key.encode()).hexdigest()[:8]


def _mac(key: str, data: bytes) -> str:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"tenantry archive").derive(key.encode())
    return hmac.new(derived, data, hashlib.sha256).hexdigest()


@lru_cache(maxsize=4096)
def _fernet(key: str, tenant: str, plugin: str, field: str) -> Fernet:
    info = "\x1f".join(("tenantry", VERSION, tenant, plugin, field)).encode()
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(key.encode())
    return Fernet(base64.urlsafe_b64encode(derived))
