"""Passwords: owns how they are hashed (Argon2id) and that guessing costs the same for names that do not exist."""

from __future__ import annotations

import asyncio
import secrets

import argon2

from cloud_sync.server.problems import Problem

CHARS_MIN = 10


class Passwords:
    """Hashing off the loop, two at a time, because each takes 64 MiB and a core."""

    def __init__(self, hasher: argon2.PasswordHasher) -> None:
        self._hasher = hasher
        self._turns = asyncio.Semaphore(2)
        self._nobody = hasher.hash(secrets.token_hex(16))

    async def hash(self, password: str) -> str:
        """What is stored."""
        async with self._turns:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def matches(self, stored: str | None, password: str) -> bool:
        """Whether it is the password; None stands for an account that does not exist, and takes as long."""
        async with self._turns:
            return await asyncio.to_thread(self._matches_now, stored or self._nobody, password)

    def _matches_now(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
            return False


def check_password(username: str, password: str) -> None:
    """Raises Problem `weak_password`."""
    if len(password) < CHARS_MIN or password.casefold() == username.casefold() or len(set(password)) < 4:
        raise Problem("weak_password")
