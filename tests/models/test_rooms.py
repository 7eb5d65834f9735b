"""Room that is used again: never by two at once."""

import threading

import numpy as np

from ir_attention.models.rooms import lent, rooms


def test_arrays_of_a_block_do_not_overlap():
    for _ in range(3):  # there is room from the second time on
        with rooms() as take:
            arrays = [take((size, 3), dtype) for size in (1, 7, 5) for dtype in ("f4", "f8", "i4")]
            for number, array in enumerate(arrays):
                array[...] = number
            assert [one.dtype for one in arrays[:3]] == [np.dtype(d) for d in ("f4", "f8", "i4")]
            for number, array in enumerate(arrays):
                assert array.shape[1] == 3 and (array == number).all()


def test_blocks_within_blocks():
    with rooms() as take:
        outer = take((1000,), "f4")
        outer[...] = 1
        with rooms() as inner:
            inner((5000,), "f4")[...] = 2
        later = take((1000,), "f4")
        later[...] = 3
        assert (outer == 1).all()


def test_threads_have_their_own():
    both, seen = threading.Barrier(2, timeout=30), []

    def work(number):
        for _ in range(3):
            with rooms() as take:
                array = take((100,), "f4")
                array[...] = number
                both.wait()
                seen.append(bool((array == number).all()))
                both.wait()

    others = [threading.Thread(target=work, args=(number,)) for number in range(2)]
    for one in others:
        one.start()
    for one in others:
        one.join()
    assert seen == [True] * 6


def test_what_is_lent_is_whose():
    one, other = lent(100), lent(100)
    assert not np.shares_memory(one, other)
    assert one.ctypes.data % 64 == other.ctypes.data % 64 == 0
    part, place = one[3:9].reshape(2, 3), one.ctypes.data
    del one
    assert not np.shares_memory(lent(90), part)  # a view is a hold
    del part
    again = [lent(100) for _ in range(8)]
    assert place in [array.ctypes.data for array in again]


def test_more_than_is_kept():
    arrays = [lent(10 + number, "f8") for number in range(30)]
    for number, array in enumerate(arrays):
        array[...] = number
    assert all((array == number).all() for number, array in enumerate(arrays))
