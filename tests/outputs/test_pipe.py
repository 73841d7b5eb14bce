import os

import numpy as np
import pytest

from engine.processes.pipe import Pipe
from engine.sound.format import AudioFormat
from tests.runtime.sound import samples

FRAME_BYTES = AudioFormat(2).frame_bytes


@pytest.fixture
def pipe():
    pipe = Pipe(1 << 16)
    yield pipe
    pipe.close()


def blocks(*numbers: int) -> bytes:
    return np.repeat(np.array(numbers, np.float32), 512).tobytes()


def test_the_pipe_counts_what_was_written_whether_it_was_read_or_not(pipe):
    segment = pipe.segment()
    pipe.attach(segment)
    for number in range(5):
        os.write(segment.write_end, blocks(number))
    assert pipe.written() == 5 * 256
    assert len(pipe.read(5000, 0.0)) == 4096
    assert (pipe.taken, pipe.waiting(), pipe.written()) == (512, 768, 1280)
    assert pipe.read(1 << 20, 0.0) == blocks(2, 3, 4)
    assert pipe.read(1 << 20, 0.0) == b""
    assert pipe.depth * FRAME_BYTES == pipe.size >= 1 << 16


def test_what_one_process_after_another_writes_is_read_as_one_stream_without_what_is_to_be_skipped(pipe):
    first, second, third = pipe.segment(), pipe.segment(), pipe.segment()
    pipe.attach(first)
    os.write(first.write_end, blocks(1, 2))
    first.close_write_end()
    pipe.attach(second, skip=512)
    os.write(second.write_end, blocks(7, 8, 3))
    assert pipe.written() == 3 * 256
    assert pipe.skip() is False
    assert pipe.progress == 5 * 2048
    second.close_write_end()
    pipe.attach(third, skip=1024)
    os.write(third.write_end, blocks(8))
    assert pipe.skip() is True
    third.close_write_end()  # it died before it came to anything
    fourth = pipe.segment()
    pipe.attach(fourth)
    os.write(fourth.write_end, blocks(4))
    assert pipe.written() == 4 * 256
    read = b""
    while chunk := pipe.read(1 << 16, 0.0):
        read += chunk
    assert read == blocks(1, 2, 3, 4)
    assert pipe.taken == pipe.written() == 4 * 256


def test_the_end_of_one_process_fades_out_while_the_next_one_fades_in(pipe):
    first, second, third = pipe.segment(), pipe.segment(), pipe.segment()
    pipe.attach(first)
    os.write(first.write_end, blocks(8, 8, 8))
    first.close_write_end()
    pipe.attach(second, skip=3 * 256, blend=2 * 256)
    os.write(second.write_end, blocks(99, 0))  # and it dies, too
    second.close_write_end()
    assert pipe.written() == 3 * 256
    assert pipe.read(1 << 16, 0.0) == blocks(8)
    assert pipe.read(1 << 16, 0.01) == b""
    pipe.attach(third, skip=3 * 256, blend=2 * 256)
    os.write(third.write_end, blocks(99, 0, 0, 5))
    assert (pipe.written(), pipe.waiting()) == (4 * 256, 3 * 256)
    blended = samples(pipe.read(1 << 16, 0.0))
    assert len(blended) == 2 * 256
    assert blended[0, 0] == 8
    assert np.allclose(np.diff(blended, axis=0), -8 / 512)
    assert pipe.read(1 << 16, 0.0) == blocks(5)
    assert (pipe.written(), pipe.waiting()) == (4 * 256, 0)


def test_a_pipe_whose_process_writes_more_than_it_holds_is_full(pipe):
    segment = pipe.segment()
    pipe.attach(segment)
    os.set_blocking(segment.write_end, False)
    assert not pipe.full
    for _ in range(pipe.size // 2048):
        os.write(segment.write_end, blocks(0))
    assert pipe.full
    pipe.read(1 << 16, 0.0)
    assert not pipe.full
