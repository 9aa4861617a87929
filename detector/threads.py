"""Keeps numerical libraries to the calling thread where they are given little at a time.

It starts no thread and computes nothing. The limit holds for the whole process while it lasts; of
two calls at once the later one may leave it standing, which costs other work time but no result.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Literal

from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]  # ships no types


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
    with _threads().limit(limits=1, user_api=api):
        yield
