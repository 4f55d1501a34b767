import FluxTestSupport
import Testing

/// The Python that is installed here.
private enum Python {
    static let isInstalled = Task { (try? await run("import websockets, aiohttp, zlib", isQuiet: true)) == 0 }

    /// - Returns: the exit status of Python.
    static func run(_ script: String, _ arguments: [String] = [], isQuiet: Bool = false) async throws -> Int32 {
        try await ChildProcess.run(["python3", "-c", script] + arguments, isQuiet: isQuiet).status
    }
}

/// The gateway as Python's `websockets`, `aiohttp` and `zlib` see it, which are what the bot libraries are built on.
@Suite(.enabled("needs Python with websockets and aiohttp") { await Python.isInstalled.value })
struct ForeignClientTests {
    private func check(_ script: String) async throws {
        try await RunningPort.run { port in
            let status = try await Python.run(script, [String(port.port)])
            #expect(status == 0)
        }
    }

    @Test func websockets() async throws {
        try await check(
            """
            import asyncio, json, sys, websockets
            async def main():
                async with websockets.connect(f"ws://127.0.0.1:{sys.argv[1]}/?v=10&encoding=json") as socket:
                    assert json.loads(await socket.recv())["op"] == 10
                    await (await socket.ping(b"x" * 125))
                    await socket.send(json.dumps({"op": 1, "d": None}).encode())
                    assert json.loads(await socket.recv())["op"] == 11
                    async def fragments():
                        for part in ['{"op":2,', '"d":{"tok', 'en":"person"}}']:
                            yield part
                            await asyncio.sleep(0)
                    await socket.send(fragments())
                    assert json.loads(await socket.recv())["t"] == "READY"
                    for number in range(200):
                        await socket.send(json.dumps({"op": 100, "d": {"nonce": str(number), "content": "é" * number}}))
                    for number in range(200):
                        assert json.loads(await socket.recv()) == {
                            "op": 101, "s": None, "t": None, "d": {"nonce": str(number)}}
                    await socket.close(4000, "again")
                assert socket.close_code == 4000, socket.close_code
                async with websockets.connect(f"ws://127.0.0.1:{sys.argv[1]}/?v=10") as socket:
                    await socket.recv()
                    await socket.send(b"\\xff")
                    try:
                        await socket.recv()
                        assert False
                    except websockets.ConnectionClosed as closed:
                        assert closed.rcvd.code == 4002, closed
            asyncio.run(main())
            """)
    }

    @Test func aiohttpReusesAConnectionForTheCompressedGateway() async throws {
        try await check(
            """
            import aiohttp, asyncio, json, sys, zlib
            async def main():
                base = f"http://127.0.0.1:{sys.argv[1]}"
                connector = aiohttp.TCPConnector(limit=1)
                async with aiohttp.ClientSession(connector=connector) as session:
                    async with session.get(base + "/hello") as response:
                        assert (await response.text()).startswith("hello")
                    stream = zlib.decompressobj()
                    async with session.ws_connect(base + "/?v=10&encoding=json&compress=zlib-stream") as socket:
                        async def payload():
                            data = await socket.receive_bytes()
                            assert data[-4:] == b"\\x00\\x00\\xff\\xff"
                            return json.loads(stream.decompress(data))
                        assert (await payload())["op"] == 10
                        await socket.send_json({"op": 1, "d": None})
                        assert (await payload())["op"] == 11
                        await socket.send_json({"op": 2, "d": {"token": "person", "compress": True}})
                        assert (await payload())["t"] == "READY"
                        for number in range(200):
                            await socket.send_json({"op": 100, "d": {"nonce": str(number)}})
                            assert (await payload()) == {
                            "op": 101, "s": None, "t": None, "d": {"nonce": str(number)}}
                        await socket.close(code=1000)
                        assert socket.close_code == 1000, socket.close_code
            asyncio.run(main())
            """)
    }
}
