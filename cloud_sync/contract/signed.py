"""Signing what goes down: owns the key pair, the envelope of a signed JSON body, and reading its plain fields.

The signature (Ed25519) covers the kind of the body, so that one kind cannot be passed off as another.
"""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from cloud_sync.contract.frame import pack, unpack
from control.domain.errors import ContractError

SCHEMA = 1
DOWN_RAW_BYTES_MAX = 32 * 1024 * 1024
_PUBLIC_PREFIX = "ed25519:"

# What reading a JSON body can raise when a field is not what it should be.
JSON_ERRORS = (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError)


class PublicKey:
    """The half that gateways hold. Its text form is `ed25519:` and base64."""

    __slots__ = ("_key", "key_id")

    def __init__(self, raw: bytes) -> None:
        self._key = Ed25519PublicKey.from_public_bytes(raw)
        self.key_id = sha256(raw).digest()[:8]

    @classmethod
    def from_text(cls, text: str) -> PublicKey:
        """Raises ContractError when the text is not a key."""
        try:
            return cls(base64.b64decode(text.strip().removeprefix(_PUBLIC_PREFIX), validate=True))
        except ValueError as error:
            raise ContractError("not a public key: expected ed25519: and base64 of 32 bytes") from error

    def text(self) -> str:
        """One line for a file or a form."""
        return _PUBLIC_PREFIX + base64.b64encode(self.raw()).decode()

    def raw(self) -> bytes:
        """32 bytes."""
        return self._key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Whether the signature is the other half's."""
        try:
            self._key.verify(signature, message)
        except InvalidSignature:
            return False
        return True


class KeyPair:
    """The half that the cloud holds."""

    __slots__ = ("_key", "public")

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        self.public = PublicKey(raw)

    @classmethod
    def generate(cls) -> KeyPair:
        """A new pair from the operating system's randomness."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def from_pem(cls, pem: bytes) -> KeyPair:
        """Raises ContractError when the PEM holds no Ed25519 private key."""
        try:
            key = serialization.load_pem_private_key(pem, password=None)
        except (ValueError, TypeError) as error:
            raise ContractError("not a private key in PEM form") from error
        if not isinstance(key, Ed25519PrivateKey):
            raise ContractError("the private key is not Ed25519")
        return cls(key)

    def pem(self) -> bytes:
        """PKCS 8, not encrypted: keep the file at 0600."""
        form = serialization.PrivateFormat.PKCS8
        return self._key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())

    def sign(self, message: bytes) -> bytes:
        """64 bytes."""
        return self._key.sign(message)


def seal(kind: str, value: dict[str, Any], key: KeyPair) -> bytes:
    """Signed bytes of a JSON object for the topic of its kind."""
    body = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    return pack([SCHEMA, "signed", kind, key.public.key_id, body, key.sign(preimage(kind, body))])


def preimage(kind: str, body: bytes) -> bytes:
    """What is signed: the kind, then the body."""
    return f"island/v1/{kind}\0".encode() + body


def open_signed(kind: str, payload: bytes, key: PublicKey) -> dict[str, Any]:
    """The JSON object inside. Raises ContractError for a wrong kind, key, signature or shape."""
    fields = unpack(payload, raw_bytes_max=DOWN_RAW_BYTES_MAX)
    fields.expect_schema(SCHEMA)
    if fields.text(16) != "signed" or fields.text(16) != kind:
        raise ContractError(f"this is no signed {kind}")
    key_id, body, signature = fields.binary(8), fields.binary_up_to(DOWN_RAW_BYTES_MAX), fields.binary(64)
    fields.end()
    if key_id != key.key_id:
        raise ContractError(f"the {kind} is signed by another key ({key_id.hex()}): check cloud.public_key_file")
    if not key.verifies(signature, preimage(kind, body)):
        raise ContractError(f"the signature of the {kind} does not hold")
    return _json_object(body)


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ContractError("the signed body is not JSON") from error
    if not isinstance(value, dict):
        raise ContractError("the signed body is not a JSON object")
    return value


def iso(at: datetime) -> str:
    """An instant as bodies write it: UTC with milliseconds."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds")


def instant(written: str) -> datetime:
    """Its inverse. Raises ValueError or TypeError; an instant without an offset is none."""
    at = datetime.fromisoformat(written)
    if at.tzinfo is None:
        raise ValueError(f"{written} has no offset")
    return at.astimezone(UTC)


def text(value: object) -> str:
    """Raises TypeError when it is none."""
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def text_or_none(value: object) -> str | None:
    """Raises TypeError when it is neither."""
    return None if value is None else text(value)
