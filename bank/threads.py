"""Work that waits for a database or takes a processor, beside the event loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

_Given = ParamSpec("_Given")
_Found = TypeVar("_Found")

# As many as the database's connections that are kept. The framework's own way does the same with
# limits that can be taken back, and of a short answer from the log that was a third of the cost.
_POOL = ThreadPoolExecutor(20, thread_name_prefix="work")


async def in_thread(
    call: Callable[_Given, _Found], *given: _Given.args, **named: _Given.kwargs
) -> _Found:
    """What a call gives, made in another thread, where it goes on if nobody waits any more."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_POOL, partial(call, *given, **named))
