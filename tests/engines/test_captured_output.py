from __future__ import annotations

import fcntl
import os
import tempfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pybuild.engines.captured_output import LIMIT, CappedStream, read_output, stem_output, take_output

MARK = "\n[... output left out ...]\n"


@pytest.fixture
def file():
    with tempfile.TemporaryFile(buffering=0) as opened:
        yield opened.fileno()


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 50_000)), max_size=8))
@settings(derandomize=True, max_examples=60, deadline=None)
def test_a_stream_in_memory_and_a_file_are_cut_alike(writes):
    stream, whole = CappedStream(), "".join(letter * count for letter, count in writes)
    for letter, count in writes:
        stream.write((letter * count).encode())
    expected = whole if len(whole) <= LIMIT else whole[: LIMIT // 2] + MARK + whole[-LIMIT // 2 :]
    with tempfile.TemporaryFile(buffering=0) as opened:
        opened.write(whole.encode())
        assert (stream.take(), read_output(opened.fileno())) == (expected, expected)


def test_a_stream_starts_anew_when_taken():
    stream = CappedStream()
    stream.write(b"x" * LIMIT * 5)
    stream.take()
    stream.write(b"y")
    assert (stream.take(), stream.take()) == ("y", "")


def test_taking_empties_the_file(file):
    os.write(file, b"caf\xe9")
    assert (take_output(file), take_output(file)) == ("caf\ufffd", "")


def test_a_flood_is_stemmed_and_shown_as_cut(file):
    os.ftruncate(file, 17 << 20)
    os.pwrite(file, b"head" * 20_000, 0)
    stem_output(file)
    assert os.fstat(file).st_size == LIMIT + 1
    assert read_output(file) == "head" * 8192 + MARK + ("head" * 8193)[-LIMIT // 2 - 3 : -3]


def test_little_is_not_stemmed(file):
    os.write(file, b"x" * LIMIT * 2)
    stem_output(file)
    assert os.fstat(file).st_size == LIMIT * 2


def test_a_file_that_its_writer_is_emptying_is_left_alone(file):
    os.ftruncate(file, 17 << 20)
    fcntl.lockf(file, fcntl.LOCK_EX)
    if not (supervisor := os.fork()):
        stem_output(file)
        os._exit(0)
    assert os.waitpid(supervisor, 0)[1] == 0
    assert os.fstat(file).st_size == 17 << 20
