"""Limit numerical libraries to one thread where they are given little at a time.

The limit holds for the whole process, from the first of several calls at once to the end of the
last: the number of threads moves the last bits of a matrix product.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from typing import Literal

from threadpoolctl import ThreadpoolController

_lock = threading.Lock()
_inside: Counter[str] = Counter()  # running calls by library
_limits: dict[str, ExitStack] = {}


@lru_cache(maxsize=1)
def _threads() -> ThreadpoolController:
    return ThreadpoolController()


@contextmanager
def one_thread(api: Literal["blas", "openmp"]) -> Iterator[None]:
    """Limit numpy's and scipy's BLAS, or scikit-learn's OpenMP, to the calling thread.

    For the tens of rows of a page, more threads are slower: up to 600 ms instead of 4 ms for 500
    rows of boosted trees, and three times as long for a page's matrix products.
    """
    with _lock:
        if not _inside[api]:
            _limits[api] = ExitStack()
            _limits[api].enter_context(_threads().limit(limits=1, user_api=api))
        _inside[api] += 1
    try:
        yield
    finally:
        with _lock:
            _inside[api] -= 1
            if not _inside[api]:
                _limits.pop(api).close()
