"""Passwords: argon2id (RFC 9106), first passwords that can be read out, and what a new one must be."""

from __future__ import annotations

import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

# OWASP's smallest argon2id: 19 MiB and some 40 ms, so that the bell of a county is no load.
HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
# What nobody confuses on paper: no 0 o 1 l i.
READABLE = "abcdefghjkmnpqrstuvwxyz23456789"
FIRST_CHARACTERS = 10  # 49 bits
MIN_CHARACTERS, MAX_CHARACTERS = 8, 128
# Verified for logins that do not exist, so that they take as long as those that do.
NOBODY = HASHER.hash(secrets.token_hex(16))


def first_password() -> str:
    """A password to be handed out and changed."""
    return "".join(secrets.choice(READABLE) for _ in range(FIRST_CHARACTERS))


def hash_password(password: str) -> str:
    """Its argon2id hash; takes its time, call it in a thread."""
    return HASHER.hash(password)


def matches(password_hash: str | None, password: str) -> bool:
    """Whether it is the password; as slow without a hash. Call it in a thread."""
    try:
        return HASHER.verify(password_hash or NOBODY, password) and password_hash is not None
    except (VerificationError, InvalidHashError):
        return False


def too_weak(password: str, login: str, old: str) -> str | None:
    """What is wrong with a new password, in words, or None."""
    if not MIN_CHARACTERS <= len(password) <= MAX_CHARACTERS:
        return f"a password has {MIN_CHARACTERS} to {MAX_CHARACTERS} characters"
    if password == old:
        return "the new password is the old one"
    if login in password.lower() or len(set(password)) < 4:
        return "this password is too easy to guess"
    return None
