"""Keep numerical libraries to one thread where they are given little at a time.

Keeps numerical libraries to the calling thread where they are given little at a time.

It starts no thread and computes nothing. The limit holds for the whole process, from the first of
several calls at once to the end of the last: how many threads share a product of matrices moves its
last bits.
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
_inside: Counter[str] = Counter()  # calls that are inside, by library
_limits: dict[str, ExitStack] = {}


@lru_cache(maxsize=1)
def _threads() -> ThreadpoolController:
    return ThreadpoolController()


@contextmanager
def one_thread(api: Literal["blas", "openmp"]) -> Iterator[None]:
    """Keep numpy's and scipy's BLAS, or scikit-learn's OpenMP, to the calling thread.

    A page holds tens of rows: on a busy machine, threads that wait for one another at each tree
    took up to 600 ms over 500 rows that one thread alone judges in 4, and at each small product
    of matrices made judging a page take three times as long as encoding it, not a fifth.
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
