from __future__ import annotations

import faulthandler
import tempfile

import pytest

from pybuild.engines.base import Frame
from pybuild.engines.tracebacks import described, dumped_frames, exit_words, raised_frames


def test_what_faulthandler_writes_is_read_back():
    with tempfile.TemporaryFile("w+") as file:
        faulthandler.dump_traceback(file, all_threads=False)
        file.seek(0)
        frames = dumped_frames("noise\n" + file.read() + "\nExtension modules: none\n")
    assert (frames[-1].file, frames[-1].name) == (__file__, "test_what_faulthandler_writes_is_read_back")


def test_escapes_and_the_last_stack_count():
    text = (
        'Current thread 0x1 (most recent call first):\n  File "a", line 1 in f\n'
        'Thread 0x2 (most recent call first):\n  File "/s/\\xe9/\\u20ac.py", line 3 in g\n'
        '  File "b", line 4 in h\n'
    )
    assert dumped_frames(text) == (Frame("b", 4, "h"), Frame("/s/é/€.py", 3, "g"))


@pytest.mark.parametrize("text", ["", 'File "a", line 1 in f', "(most recent call first):\n"])
def test_no_stack_is_no_frames(text):
    assert dumped_frames(text) == ()


def test_frames_of_an_exception_end_where_it_was_raised():
    def inner():
        raise KeyError("x")

    with pytest.raises(KeyError) as caught:
        inner()
    names = [frame.name for frame in raised_frames(caught.value)]
    assert names == ["test_frames_of_an_exception_end_where_it_was_raised", "inner"]


def test_an_exception_that_cannot_be_printed_is_still_described():
    class Mute(Exception):
        def __str__(self):
            raise ValueError

    assert described(Mute()).endswith("Mute: <exception str() failed>")
    assert described(ValueError("two\nlines")) == "ValueError: two\nlines"


@pytest.mark.parametrize(
    "stop, words",
    [
        (SystemExit(), ("exit status 0", "")),
        (SystemExit(7), ("exit status 7", "")),
        (SystemExit(True), ("exit status 1", "")),
        (SystemExit("no"), ("exit status 1", "no\n")),
    ],
)
def test_exit_words(stop, words):
    assert exit_words(stop) == words
