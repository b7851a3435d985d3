"""Where an item belongs: to the training, to what is held out for choices, or to the test."""

import hashlib


def bucket(item: bytes) -> int:
    """A number from 0 to 99 that depends on nothing but the item, here a part of its SHA-256.

    So an item stays where it is when others are added.
    """
    return int.from_bytes(hashlib.sha256(item).digest()) % 100
