"""A network between a service and its store that fails when it is told to."""
import asyncio
import threading


class FaultyNetwork:
    """Passes connections on to a server, or does what goes wrong with connections."""

    FAULTS = ("refuse", "hang", "cut", "slow", "unavailable")

    def __init__(self, port):
        self.server_port = port
        self.fault = None
        self.counts = {}
        self.loop = asyncio.new_event_loop()
        ready = threading.Event()
        threading.Thread(target=self.run, args=(ready,), daemon=True).start()
        ready.wait()

    def run(self, ready):
        asyncio.set_event_loop(self.loop)
        listener = self.loop.run_until_complete(asyncio.start_server(self.connect, "127.0.0.1", 0))
        self.port = listener.sockets[0].getsockname()[1]
        ready.set()
        self.loop.run_forever()

    async def connect(self, reader, writer):
        try:
            server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self.server_port)
            await asyncio.gather(self.requests(reader, server_writer, writer),
                                 self.answers(server_reader, writer))
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def requests(self, reader, server_writer, writer):
        while data := await reader.read(65536):
            fault = self.fault
            self.counts[fault] = self.counts.get(fault, 0) + 1
            if fault == "refuse":
                writer.transport.abort()
                break
            if fault == "hang":
                await asyncio.sleep(30)
            if fault == "unavailable":
                writer.write(b"HTTP/1.1 503 Fake\r\nContent-Length: 2\r\n\r\n{}")
                continue
            server_writer.write(data)
        server_writer.close()

    async def answers(self, server_reader, writer):
        while data := await server_reader.read(65536):
            if self.fault == "cut":
                writer.write(data[:len(data) // 2])
                await writer.drain()
                writer.transport.abort()
                break
            if self.fault == "slow":
                await asyncio.sleep(0.3)
            writer.write(data)
        writer.close()
