"""What a socket heard is joined with what was said to it."""

import asyncio
import json

import pytest

from bench.speed.crowds import delays
from bench.speed.wire import Client, Ear


def frame(seq: int) -> bytes:
    return json.dumps({"seq": seq}).encode()


def test_delay_is_from_saying_to_hearing_at_every_socket_of_the_request() -> None:
    sent = [(0, 5, 10.0), (1, 5, 10.5)]
    heard = [[(frame(1), 1.0), (frame(5), 10.25)], [(frame(5), 11.5)], [(frame(5), 12.0)]]  # the third looks at 0
    assert sorted(delays(sent, heard, 2)) == [0.25, 1.0, 2.0]


def test_a_later_state_makes_up_for_one_that_was_left_out_and_silence_is_infinite() -> None:
    sent = [(0, 5, 10.0), (0, 6, 10.5)]
    assert delays(sent, [[(frame(6), 11.0)]], 1) == [1.0, 0.5]
    assert delays(sent, [[(frame(5), 10.1)]], 1)[1] == float("inf")


async def test_frames_are_read_however_they_come() -> None:
    heard: list[bytes] = []
    ear = Ear(b"", lambda text, _now: heard.append(text))
    long = b"x" * 300
    said = b"HTTP/1.1 101 Switching Protocols\r\n\r\n" + b"\x81\x02hi" + b"\x81\x7e\x01\x2c" + long
    for index in range(len(said)):
        ear.data_received(said[index : index + 1])
    assert heard == [b"hi", long]


async def test_an_answer_nobody_waited_for_is_not_taken_for_the_next_ones() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while path := (await reader.readline()).split(b" ")[1:2]:
            await reader.readuntil(b"\r\n\r\n")
            await asyncio.sleep(0.2 if path == [b"/slow"] else 0)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n" + path[0].ljust(5))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    client = Client(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", 0)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(client.get("/slow"), 0.05)
    assert (await client.get("/next")).body == b"/next"
    client.close()
    server.close()
