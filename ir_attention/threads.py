"""Work over threads, each with one thread of BLAS: whatever their number, the same results."""

from __future__ import annotations

import contextlib
import contextvars
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, TypeVar

__all__ = ["one_blas_thread", "over_threads"]

Part = TypeVar("Part")
Result = TypeVar("Result")


class _Limit:
    """How many are inside `one_blas_thread` now: the limit holds for the whole process."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.inside = 0
        self.undo: Any = None


_limit = _Limit()


@contextlib.contextmanager
def one_blas_thread() -> Iterator[None]:
    """Inside, a product has one thread; until the last who is inside goes.

    The products here are small: a second thread waits more than it works, and where cores are
    shared it was measured to take eight times as long. And one seed gives one result.
    """
    with _limit.lock:
        if not _limit.inside:
            _take_over()
            _limit.undo = _controller().limit(limits=1, user_api="blas")
        _limit.inside += 1
    try:
        yield
    finally:
        with _limit.lock:
            _limit.inside -= 1
            if not _limit.inside:
                _take_over()
                _limit.undo.restore_original_limits()


def over_threads(
    work: Callable[[Part], Result], parts: Iterable[Part], threads: int
) -> list[Result]:
    """What the work of each part gives, in their order; it must not depend on the others.

    Whatever is set for the caller, such as NumPy's answer to an overflow, is set for all.
    """
    parts = list(parts)
    with one_blas_thread():
        if threads < 2 or len(parts) < 2:
            return [work(part) for part in parts]
        contexts = [contextvars.copy_context() for _ in parts]
        runs = [
            _pool(threads).submit(context.run, work, part)
            for context, part in zip(contexts, parts, strict=True)
        ]
        return [run.result() for run in runs]  # raises what a part raised


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    # Kept, for its threads keep their rooms.
    return ThreadPoolExecutor(threads, "ir_attention")


@cache
def _controller() -> Any:
    from threadpoolctl import ThreadpoolController

    # Finding the libraries takes milliseconds; NumPy's is there from the beginning.
    return ThreadpoolController()


def _take_over() -> None:
    """Makes this thread the one that sets limits.

    From 3.8 on, threadpoolctl lets nobody but the first who did so while that thread is alive; it
    takes a thread of TensorFlow's to be alive for ever, and others' limits then do nothing.
    """
    for library in _controller().lib_controllers:
        if hasattr(library, "clear_controlling_thread"):
            library.clear_controlling_thread(force=True)


def _after_fork() -> None:
    """A child has none of its parent's threads, and no lock that one of them held."""
    global _limit
    _pool.cache_clear()
    _limit = _Limit()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
