"""One BLAS thread inside, whoever else is there; and a child process has threads of its own."""

import _thread
import multiprocessing
import sys
import threading

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from ir_attention.threads import one_blas_thread, over_threads


def blas_threads():
    return {one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"}


def test_the_limit_holds_until_the_last_one_leaves():
    before = blas_threads()
    if max(before) < 2:
        pytest.skip("a BLAS of one thread has nothing to limit")
    inside, leave = threading.Event(), threading.Event()

    def other():
        with one_blas_thread():
            inside.set()
            leave.wait(30)

    thread = threading.Thread(target=other)
    thread.start()
    assert inside.wait(30)
    with one_blas_thread():
        leave.set()
        thread.join(30)
        assert blas_threads() == {1}
    assert blas_threads() == before


def test_the_limit_holds_in_a_thread_that_python_did_not_start_and_after_it():
    """As TensorFlow's are: Python 3.11 and 3.12 take them to be alive for ever."""
    before = blas_threads()
    if max(before) < 2:
        pytest.skip("a BLAS of one thread has nothing to limit")
    seen, left = [], threading.Event()

    def foreign():
        with one_blas_thread():
            seen.append(blas_threads())
        left.set()

    _thread.start_new_thread(foreign, ())
    assert left.wait(30)
    assert seen == [{1}]
    with one_blas_thread():
        assert blas_threads() == {1}
    assert blas_threads() == before


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_results_come_in_order(threads):
    assert over_threads(lambda part: part**2, range(7), threads) == [n**2 for n in range(7)]


@pytest.mark.parametrize("threads", [1, 2])
def test_what_is_set_for_the_caller_is_set_for_all(threads):
    with np.errstate(over="raise"), pytest.raises(FloatingPointError):
        over_threads(lambda part: np.exp(np.float32(part)), [1.0, 1000.0], threads)
    with np.errstate(over="ignore"):
        assert over_threads(lambda part: np.exp(np.float32(part)), [1000.0] * 2, threads)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="nothing forks elsewhere")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
# JAX warns of a fork once it is loaded, which it may be by another test.
@pytest.mark.filterwarnings("ignore:os.fork:RuntimeWarning")
def test_a_child_process_has_threads_of_its_own():
    assert over_threads(abs, [-1, -2], 2) == [1, 2]
    child = multiprocessing.get_context("fork").Process(target=over_threads, args=(abs, [-1, 2], 2))
    child.start()
    child.join(30)
    assert child.exitcode == 0
