"""Work that goes on beside a block, in a thread of its own, for as long as the block takes."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def beside(name: str, work: Callable[[threading.Event], object]) -> Iterator[None]:
    """Run `work` in a thread called `name`; it is given what is set when the block ends, and is waited for then."""
    end = threading.Event()
    thread = threading.Thread(target=work, args=(end,), name=name)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join()
