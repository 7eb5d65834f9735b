"""Parts of a request over threads, each with one thread of BLAS."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import cache
from typing import Any, TypeVar

from threadpoolctl import ThreadpoolController

__all__ = ["one_blas_thread", "over_threads"]

Part = TypeVar("Part")


def one_blas_thread() -> AbstractContextManager[Any]:
    """Inside, a product has one thread.

    The products of a part are small: a second thread waits more than it works, and where cores are
    shared it was measured to take eight times as long.
    """
    return _controller().limit(limits=1, user_api="blas")


@cache
def _controller() -> ThreadpoolController:
    # Finding the libraries takes milliseconds; NumPy's is there from the beginning.
    return ThreadpoolController()


def over_threads(work: Callable[[Part], None], parts: Iterable[Part], threads: int) -> None:
    """Does the work of each part; what it gives must not depend on the others."""
    with one_blas_thread():
        if threads < 2:
            for part in parts:
                work(part)
            return
        with ThreadPoolExecutor(threads) as pool:
            for _ in pool.map(work, parts):  # raises what a part raised
                pass
