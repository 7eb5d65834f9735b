"""Room for intermediate results that is used again: fresh memory costs more than what fills it."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

__all__ = ["Take", "lent", "rooms"]

# TensorFlow need not copy an array that begins at a multiple of this many bytes.
_ALIGNED = 64
# Bytes that a thread holds on to at most between two uses, and that are kept for lending.
_HELD, _KEPT = 1 << 26, 1 << 28

Take = Callable[[tuple[int, ...], Any], np.ndarray]


class _Own(threading.local):
    """What a thread has at hand."""

    def __init__(self) -> None:
        self.block = np.empty(0, np.uint8)
        self.used = 0  # bytes of it


_own = _Own()
_lending = threading.RLock()
_blocks: list[np.ndarray] = []


@contextlib.contextmanager
def rooms() -> Iterator[Take]:
    """What gives arrays of a shape and a type, empty; they are void when the block ends.

    >>> with rooms() as take:
    ...     take((2, 3), np.float32).shape
    (2, 3)
    """
    start, wanted = _own.used, 0

    def take(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        nonlocal wanted
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        size += -size % _ALIGNED
        wanted += size
        if _own.used + size > len(_own.block):  # once: there is room the next time
            return np.empty(shape, dtype)
        part = _own.block[_own.used : _own.used + size]
        _own.used += size
        return part.view(dtype)[: int(np.prod(shape))].reshape(shape)

    try:
        yield take
    finally:
        _own.used = start
        if len(_own.block) < start + wanted <= _HELD and not start:
            _own.block = _aligned(np.empty(wanted + _ALIGNED, np.uint8))


def lent(size: int, dtype: Any = np.float32) -> np.ndarray:
    """An array `(size,)`, empty, whose memory is used again when nobody has it any more.

    For what leaves this file's sight: who still has it shows in the count of references.
    """
    wanted = size * np.dtype(dtype).itemsize
    with _lending:
        for number in range(len(_blocks)):
            # Every view counts as a reference to the owner. The list has one, the question another.
            if len(_blocks[number]) >= wanted + _ALIGNED and sys.getrefcount(_blocks[number]) == 2:
                _blocks.append(_blocks.pop(number))
                break
        else:
            _blocks.append(np.empty(wanted + _ALIGNED, np.uint8))
            while len(_blocks) > 1 and sum(map(len, _blocks)) > _KEPT:
                del _blocks[0]  # whoever has it keeps it
        return _aligned(_blocks[-1])[:wanted].view(dtype)


def _aligned(raw: np.ndarray) -> np.ndarray:
    start = -raw.ctypes.data % _ALIGNED
    return raw[start : start + len(raw) - _ALIGNED]
