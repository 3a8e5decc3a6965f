"""Secrets that must be used again, not only compared: sealed with the console's SECRET_KEY, so that the database alone,
or a backup of it, signs nothing.
"""

import base64
import hashlib

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class CannotOpen(Exception):
    """The secret was sealed with another SECRET_KEY."""


def seal(secret: str) -> str:
    return _fernet().encrypt(secret.encode()).decode()


def opened(sealed: str) -> str:
    try:
        return _fernet().decrypt(sealed.encode()).decode()
    except InvalidToken as problem:
        raise CannotOpen from problem


def is_readable(sealed: str) -> bool:
    try:
        opened(sealed)
    except CannotOpen:
        return False
    return True


def _fernet() -> MultiFernet:
    return MultiFernet([Fernet(_key(key)) for key in _keys()])


def _keys() -> list[str]:
    return [str(settings.SECRET_KEY), *map(str, settings.SECRET_KEY_FALLBACKS)]


def _key(secret_key: str) -> bytes:
    digest = hashlib.blake2b(secret_key.encode(), digest_size=32, person=b"webhook secrets").digest()
    return base64.urlsafe_b64encode(digest)
