"""The limit on numerical libraries' threads, with several calls at once."""

from __future__ import annotations

from threadpoolctl import threadpool_info, threadpool_limits  # type: ignore[import-untyped]

from detector.threads import one_thread


def blas() -> set[int]:
    return {one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"}


def test_threads_stay_one_until_the_last_of_two_calls_has_ended() -> None:
    first, second = one_thread("blas"), one_thread("blas")
    with threadpool_limits(limits=2, user_api="blas"):
        before = blas()
        first.__enter__()
        second.__enter__()
        assert blas() == {1}
        first.__exit__(None, None, None)
        assert blas() == {1}
        second.__exit__(None, None, None)
        assert blas() == before == {2}
