"""Pipes: the bytes and the errors are stock's, and stock can be at the other end."""

import array
import itertools
import multiprocessing
import os
import pickle
import select
import socket
import struct
import threading
from multiprocessing import connection as stock

import procession
import pytest
from procession import connection

ENDS = {
    "stock": (stock.Connection, stock.Connection),
    "ours": (connection.Connection, connection.Connection),
    "from stock": (connection.Connection, stock.Connection),
    "to stock": (stock.Connection, connection.Connection),
}

MESSAGES = [
    None, True, 5, -1, 1 << 80, 2.5, "text", "é" * 70_000, b"", b"x" * 16_380, b"y" * 3_000_000, [], [1, [2, (3,)]],
    {"a": 1, "b": {"c": [None]}}, {1, 2}, 3 + 4j, range(7), ValueError("no"), struct.error, bytearray(b"z"),
]  # fmt: skip


def sockets():
    return [end.detach() for end in socket.socketpair()]


@pytest.fixture(params=itertools.product(ENDS, (os.pipe, sockets)), ids=lambda it: f"{it[0]}-{it[1].__name__}")
def pipe(request):
    """The end to receive from, and the end to send to."""
    name, make = request.param
    receiving, sending = ENDS[name]
    reader, writer = make()
    ends = receiving(reader, writable=False), sending(writer, readable=False)
    yield ends
    for end in ends:
        end.close()


def raised(call, *arguments, **named):
    with pytest.raises(Exception) as caught:
        call(*arguments, **named)
    return type(caught.value), caught.value.args


@pytest.mark.parametrize("number", range(len(MESSAGES)))
def test_what_is_sent_is_received(pipe, number):
    receiver, sender = pipe
    message = MESSAGES[number]
    thread = threading.Thread(target=sender.send, args=(message,))
    thread.start()
    received = receiver.recv()
    thread.join()
    assert type(received) is type(message)
    assert str(received) == str(message)


def test_messages_are_bytes_with_their_length_before(pipe):
    receiver, sender = pipe
    sender.send_bytes(b"abc")
    assert os.read(receiver.fileno(), 100) == b"\0\0\0\3abc"
    sender.send([1, "two", None])
    written = os.read(receiver.fileno(), 1000)
    assert struct.unpack("!i", written[:4])[0] == len(written) - 4
    assert pickle.loads(written[4:]) == [1, "two", None]
    os.write(sender.fileno(), struct.pack("!iQ", -1, 5) + b"large" + struct.pack("!i", -2))
    assert receiver.recv_bytes() == b"large"
    assert receiver.recv_bytes() == b""


def test_parts_of_buffers_are_sent_and_received(pipe):
    receiver, sender = pipe
    numbers = array.array("i", [1, 2, 3])
    for sent, arrived in [
        ((b"abcde",), b"abcde"), ((b"abcde", 2), b"cde"), ((b"abcde", 1, 2), b"bc"), ((b"", 0, 0), b""),
        ((bytearray(b"abc"),), b"abc"), ((numbers, 4), numbers.tobytes()[4:]),
    ]:  # fmt: skip
        sender.send_bytes(*sent)
        assert receiver.recv_bytes() == arrived
    into = array.array("i", [0] * 5)
    sender.send_bytes(numbers)
    assert receiver.recv_bytes_into(into, 4) == 12
    assert into.tolist() == [0, 1, 2, 3, 0]
    sender.send_bytes(b"abc")
    small = bytearray(4)
    assert receiver.recv_bytes_into(small, 1) == 3
    assert small == b"\0abc"
    sender.send_bytes(b"a longer message")
    assert raised(receiver.recv_bytes_into, small) == (multiprocessing.BufferTooShort, (b"a longer message",))
    sender.send_bytes(b"next")
    assert receiver.recv_bytes(4) == b"next"


def test_errors_are_those_of_stock(pipe):
    receiver, sender = pipe
    for arguments, text in [
        ((b"abc", -1), "offset is negative"), ((b"abc", 4), "buffer length < offset"),
        ((b"abc", 0, -1), "size is negative"), ((b"abc", 1, 3), "buffer length < offset + size"),
    ]:  # fmt: skip
        assert raised(sender.send_bytes, *arguments) == (ValueError, (text,))
    text = "memoryview: a bytes-like object is required, not 'str'"
    assert raised(sender.send_bytes, "abc") == (TypeError, (text,))
    assert raised(receiver.recv_bytes, -1) == (ValueError, ("negative maxlength",))
    assert raised(receiver.recv_bytes_into, bytearray(2), -1) == (ValueError, ("negative offset",))
    assert raised(receiver.recv_bytes_into, bytearray(2), 3) == (ValueError, ("offset too large",))
    for call in (sender.recv, sender.recv_bytes, sender.poll):
        assert raised(call) == (OSError, ("connection is write-only",))
    assert raised(receiver.send, 1) == (OSError, ("connection is read-only",))
    assert raised(receiver.send_bytes, b"") == (OSError, ("connection is read-only",))
    kind, _ = raised(sender.send, lambda: None)
    assert kind in (pickle.PicklingError, AttributeError)
    sender.send_bytes(b"four")
    assert raised(receiver.recv_bytes, 3) == (OSError, ("bad message length",))
    assert receiver.closed
    assert raised(sender.send, 1)[0] is BrokenPipeError
    sender.close()
    sender.close()
    for end in pipe:
        for call in (end.fileno, end.recv, end.poll, lambda end=end: end.send(1)):
            assert raised(call) == (OSError, ("handle is closed",))


def test_the_end_is_told_apart_from_a_torn_message(pipe):
    receiver, sender = pipe
    sender.send(1)
    os.write(sender.fileno(), b"\0\0\0\7abc")
    sender.close()
    assert receiver.poll() is True
    assert receiver.recv() == 1
    assert raised(receiver.recv) == (OSError, ("got end of file during message",))
    assert receiver.poll(1) is True
    assert raised(receiver.recv) == (EOFError, ())
    assert raised(receiver.recv_bytes) == (EOFError, ())


def test_a_message_that_comes_in_pieces_is_received_whole(pipe):
    receiver, sender = pipe
    for received, wanted in ((receiver.recv, 7), (receiver.recv_bytes, pickle.dumps(7))):
        pieces = [bytes([byte]) for byte in struct.pack("!i", len(pickle.dumps(7))) + pickle.dumps(7)]
        thread = threading.Thread(target=lambda pieces=pieces: [os.write(sender.fileno(), piece) for piece in pieces])
        thread.start()
        assert received() == wanted
        thread.join()
    # With nobody who reads meanwhile: what is there at once is the header, or a part of it.
    whole = struct.pack("!i", 3) + b"abc"
    for there in range(len(whole)):
        os.write(sender.fileno(), whole[:there])
        thread = threading.Thread(target=lambda there=there: os.write(sender.fileno(), whole[there:]))
        thread.start()
        assert receiver.recv_bytes() == b"abc"
        thread.join()
    for length in (0, 4095, 4096, 4097, 60_000):
        sender.send_bytes(b"x" * length)
        assert receiver.recv_bytes(length) == b"x" * length


def test_what_a_socket_does_not_take_at_once_waits_for_room():
    receiver, sender = map(connection.Connection, sockets())
    messages = [os.urandom(4000) for _ in range(500)]
    thread = threading.Thread(target=lambda: [sender.send(message) for message in messages])
    thread.start()
    assert [receiver.recv() for _ in messages] == messages
    thread.join()
    receiver.close()
    for _ in range(2):
        assert raised(sender.send, 1)[0] is BrokenPipeError
    sender.close()


def test_a_reset_is_told_as_by_stock():
    for kind in (stock.Connection, connection.Connection):
        ours, theirs = sockets()
        os.write(ours, b"what the other end never reads")
        os.close(theirs)
        with kind(ours) as end:
            assert raised(end.recv)[0] is ConnectionResetError
            assert raised(end.recv)[0] is EOFError


def test_poll_says_whether_there_is_something(pipe):
    receiver, sender = pipe
    assert (receiver.poll(), receiver.poll(0), receiver.poll(-1), receiver.poll(0.001)) == (False,) * 4
    sender.send(1)
    sender.send(2)
    assert (receiver.poll(), receiver.poll(None), receiver.poll(timeout=5)) == (True, True, True)
    assert stock.wait([receiver], 0) == [receiver]
    assert select.select([receiver], [], [], 0)[0] == [receiver]
    # Nothing of the second message was read with the first.
    assert receiver.recv() == 1
    assert receiver.poll() is True
    assert receiver.recv() == 2
    assert receiver.poll() is False


def test_a_connection_has_the_face_of_stocks():
    first, second = procession.Pipe()
    assert isinstance(first, stock.Connection)
    assert (first.readable, first.writable, first.closed) == (True, True, False)
    assert repr(first).startswith("<procession.connection.Connection object at 0x")
    for make in (stock.Connection, connection.Connection):
        assert raised(make, -1) == (ValueError, ("invalid handle",))
        assert raised(make, 3, False, False)[0] is ValueError
        assert raised(make, "3")[0] is AttributeError
    number = first.fileno()
    with first:
        assert os.fstat(number)
    assert first.closed
    assert raised(os.fstat, number)[0] is OSError
    first._handle = None
    del second


def test_a_connection_that_nobody_has_is_closed():
    first, second = procession.Pipe()
    del first
    assert raised(second.recv) == (EOFError, ())


def test_a_message_is_one_write():
    # Beyond 16 KiB stock writes twice, and who is killed between leaves a header without a message.
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with connection.Connection(here.detach()) as sender, there:
        sender.send_bytes(b"x" * 60_000)
        assert len(there.recv(1 << 20)) == 60_004


def test_connections_go_to_children_and_through_connections(run, method):
    out = run(
        """
        import os, procession as mp

        def child(inherited):
            other = inherited.recv()
            print(type(inherited).__module__, type(other).__module__, flush=True)
            inherited.send(other.recv() + 1)

        if __name__ == "__main__":
            context = mp.get_context(os.environ["METHOD"])
            here, there = context.Pipe()
            process = context.Process(target=child, args=(there,))
            process.start()
            there.close()
            reader, writer = context.Pipe(False)
            here.send(reader)
            writer.send(41)
            print(here.recv(), flush=True)
            process.join()
            try:
                here.recv()
            except EOFError:
                print("end")
        """,
        method=method,
    )
    assert out.split() == ["procession.connection", "procession.connection", "42", "end"]
