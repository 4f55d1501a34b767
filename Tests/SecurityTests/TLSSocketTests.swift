import Foundation
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import Testing

@testable import FluxSecurity

/// Real sockets: between two of our ends, and against the command line of OpenSSL and the module of Python.
@Suite(.timeLimit(.minutes(10))) struct TLSSocketTests {
    private static let group = MultiThreadedEventLoopGroup.singleton

    /// A server on a free port of the loopback that sends back what it gets.
    private struct EchoServer {
        let channel: any Channel
        let authority: CertificateAuthority
        var port: Int { channel.localAddress?.port ?? 0 }

        init(_ adjust: (inout TLSConfiguration) -> Void = { _ in }) async throws {
            authority = try TestCertificates.authority()
            var configuration = TLSConfiguration.server(
                identity: try authority.issue(TestCertificates.request("localhost")))
            adjust(&configuration)
            channel = try await serve(try TLSContext(configuration)) { EchoHandler() }
        }

        var clientContext: TLSContext {
            get throws {
                try TLSContext(
                    TLSConfiguration(role: .client(authoritiesPEM: authority.identity.certificateChainPEM)))
            }
        }

        func close() async throws { try await channel.close() }
    }

    private final class EchoHandler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            context.writeAndFlush(data, promise: nil)
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            context.close(promise: nil)
        }
    }

    /// Fulfils its promise with what came, when so many bytes are there or the connection has ended.
    private final class Collector: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let count: Int
        private let promise: EventLoopPromise<[UInt8]>
        private var received: [UInt8] = []

        init(_ count: Int, _ promise: EventLoopPromise<[UInt8]>) {
            self.count = count
            self.promise = promise
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            received.append(contentsOf: unwrapInboundIn(data).readableBytesView)
            if received.count >= count { promise.succeed(received) }
        }

        func channelInactive(context: ChannelHandlerContext) {
            promise.succeed(received)
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            promise.fail(error)
        }
    }

    private static func serve(
        _ context: TLSContext, halfClosure: Bool = false,
        _ makeHandler: @escaping @Sendable () -> some ChannelInboundHandler
    ) async throws -> any Channel {
        try await ServerBootstrap(group: group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: halfClosure)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers(try context.makeHandler(), makeHandler())
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
    }

    private static func connect(
        port: Int, _ context: TLSContext, collecting count: Int, halfClosure: Bool = false
    ) async throws -> (channel: any Channel, received: EventLoopFuture<[UInt8]>) {
        let promise = group.next().makePromise(of: [UInt8].self)
        let channel = try await ClientBootstrap(group: group)
            .channelOption(.allowRemoteHalfClosure, value: halfClosure)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers(
                        try context.makeHandler(serverName: "localhost"), Collector(count, promise))
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
        return (channel, promise.futureResult)
    }

    @Test func echoesMegabytesThroughFullSockets() async throws {
        let server = try await EchoServer()
        let bytes = SecureRandom.bytes(12 << 20)
        let (channel, received) = try await Self.connect(
            port: server.port, try server.clientContext, collecting: bytes.count)
        // One write that is far larger than every socket buffer.
        try await channel.writeAndFlush(ByteBuffer(bytes: bytes)).get()
        #expect(try await received.get() == bytes)
        try await channel.close()
        try await server.close()
    }

    @Test func aPeerThatDoesNotReadFillsABoundAndNothingMore() async throws {
        let server = try await EchoServer { $0.writeLimit = 1 << 20 }
        let context = try server.clientContext
        let (channel, received) = try await Self.connect(port: server.port, context, collecting: .max)
        // The client sends and never reads: the echo piles up at the server until its bound, which ends the connection.
        try await channel.setOption(.autoRead, value: false).get()
        let outcome: Result<Void, any Error>
        do {
            for _ in 0..<2048 { try await channel.writeAndFlush(ByteBuffer(repeating: 7, count: 64 * 1024)).get() }
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        guard case .failure = outcome else {
            Issue.record("128 MiB went into a bound of 1 MiB")
            return
        }
        try? await channel.close()
        _ = try? await received.get()
        try await server.close()
    }

    @Test func newConnectionsGetTheReloadedCertificateAndOldOnesGoOn() async throws {
        let directory = try TemporaryDirectory()
        let authority = try TestCertificates.authority()
        let first = try authority.issue(TestCertificates.request("localhost"))
        let second = try authority.issue(TestCertificates.request("localhost"))
        let certificateFile = try directory.write(first.certificateChainPEM, to: "cert.pem")
        let keyFile = try directory.write(first.privateKeyPEM, to: "key.pem")
        let context = try TLSContext(certificateFile: certificateFile, privateKeyFile: keyFile)
        let server = try await Self.serve(context) { EchoHandler() }
        let port = try #require(server.localAddress?.port)

        let seen = NIOLockedValueBox<[[UInt8]]>([])
        var configuration = TLSConfiguration(
            role: .client(authoritiesPEM: authority.identity.certificateChainPEM))
        configuration.acceptsPeer = { fingerprint in
            seen.withLockedValue { $0.append(fingerprint) }
            return true
        }
        let client = try TLSContext(configuration)
        let (old, oldReceived) = try await Self.connect(port: port, client, collecting: 3)
        try await old.writeAndFlush(ByteBuffer(string: "o")).get()

        // Half of a change on the disk must not hurt: the old pair stays in force.
        _ = try directory.write(second.certificateChainPEM, to: "cert.pem")
        #expect(throws: TLSError.self) { try context.reload() }
        let (between, betweenReceived) = try await Self.connect(port: port, client, collecting: 1)
        try await between.writeAndFlush(ByteBuffer(string: "b")).get()
        #expect(try await betweenReceived.get() == Array("b".utf8))

        _ = try directory.write(second.privateKeyPEM, to: "key.pem")
        try context.reload()
        let (new, newReceived) = try await Self.connect(port: port, client, collecting: 1)
        try await new.writeAndFlush(ByteBuffer(string: "n")).get()
        #expect(try await newReceived.get() == Array("n".utf8))
        try await old.writeAndFlush(ByteBuffer(string: "ld")).get()
        #expect(try await oldReceived.get() == Array("old".utf8))
        let expected = [try first.fingerprint(), try first.fingerprint(), try second.fingerprint()]
        #expect(seen.withLockedValue { $0 } == expected)
        for channel in [old, between, new] { try await channel.close() }
        try await server.close()
    }

    /// Answers with the number of bytes once the peer has ended its direction.
    private final class CountingHandler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private var count = 0

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            count += unwrapInboundIn(data).readableBytes
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            guard let event = event as? ChannelEvent, event == .inputClosed else { return }
            context.writeAndFlush(NIOAny(ByteBuffer(string: "\(count)")), promise: nil)
            context.close(promise: nil)
        }
    }

    @Test func oneDirectionMayEndBeforeTheOther() async throws {
        let authority = try TestCertificates.authority()
        let identity = try authority.issue(TestCertificates.request("localhost"))
        let server = try await Self.serve(try TLSContext(.server(identity: identity)), halfClosure: true) {
            CountingHandler()
        }
        let client = try TLSContext(
            TLSConfiguration(role: .client(authoritiesPEM: authority.identity.certificateChainPEM)))
        let (channel, received) = try await Self.connect(
            port: try #require(server.localAddress?.port), client, collecting: .max, halfClosure: false)
        try await channel.writeAndFlush(ByteBuffer(repeating: 1, count: 100_000)).get()
        try await channel.close(mode: .output).get()
        #expect(try await received.get() == Array("100000".utf8))
        try await server.close()
    }

    // MARK: Against other implementations

    /// Something to say to a process, and what it must have said by then.
    private struct Line {
        var after: String
        var say: String
    }

    /// Runs a program of the PATH to its end: says each line as soon as what it waits for was heard.
    private static func run(
        _ arguments: [String], saying lines: [Line] = []
    ) async throws -> (status: Int32, output: String) {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async {
                continuation.resume(with: Result { try runBlocking(arguments, saying: lines) })
            }
        }
    }

    private static func runBlocking(
        _ arguments: [String], saying lines: [Line]
    ) throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = arguments
        let (standardInput, standardOutput) = (Pipe(), Pipe())
        process.standardInput = standardInput
        process.standardOutput = standardOutput
        process.standardError = standardOutput
        try process.run()
        var output = ""
        var rest = lines[...]
        while true {
            while let line = rest.first, line.after.isEmpty || output.contains(line.after) {
                try standardInput.fileHandleForWriting.write(contentsOf: Data("\(line.say)\n".utf8))
                rest = rest.dropFirst()
            }
            let data = standardOutput.fileHandleForReading.availableData
            guard !data.isEmpty else { break }
            output += String(decoding: data, as: UTF8.self)
        }
        process.waitUntilExit()
        return (process.terminationStatus, output)
    }

    /// A client in Python: checks the name, sends much and little, reads it all back, and ends with a two-way goodbye.
    private static let pythonClient = """
        import socket, ssl, sys, threading, os
        port, authority, version = int(sys.argv[1]), sys.argv[2], sys.argv[3]
        context = ssl.create_default_context(cafile=authority)
        context.minimum_version = context.maximum_version = getattr(ssl.TLSVersion, version)
        context.set_alpn_protocols(['http/1.1'])
        with socket.create_connection(('127.0.0.1', port)) as raw:
            with context.wrap_socket(raw, server_hostname='localhost') as s:
                for size in (1, 100, 16384, 16385, 1000000):
                    sent = os.urandom(size)
                    thread = threading.Thread(target=s.sendall, args=(sent,))
                    thread.start()
                    got = b''
                    while len(got) < size: got += s.recv(65536)
                    thread.join()
                    assert got == sent, size
                print(s.version(), s.selected_alpn_protocol())
                s.unwrap()
        print('done')
        """

    @Test(arguments: [("TLSv1_2", "TLSv1.2"), ("TLSv1_3", "TLSv1.3")])
    func speaksWithPython(version: String, spoken: String) async throws {
        let server = try await EchoServer { $0.applicationProtocols = ["http/1.1"] }
        let directory = try TemporaryDirectory()
        let authority = try directory.write(server.authority.identity.certificateChainPEM, to: "ca.pem")
        let script = try directory.write(Array(Self.pythonClient.utf8), to: "client.py")
        let (status, output) = try await Self.run(["python3", script, "\(server.port)", authority, version])
        #expect(status == 0, "\(output)")
        #expect(output == "\(spoken) http/1.1\ndone\n")
        try await server.close()
    }

    @Test(arguments: ["-tls1_2", "-tls1_3"])
    func speaksWithTheCommandLineOfOpenSSL(version: String) async throws {
        let server = try await EchoServer()
        let directory = try TemporaryDirectory()
        let authority = try directory.write(server.authority.identity.certificateChainPEM, to: "ca.pem")
        let (status, output) = try await Self.run(
            [
                "openssl", "s_client", "-connect", "127.0.0.1:\(server.port)", "-CAfile", authority,
                "-verify_hostname", "localhost", "-verify_return_error", version,
            ],
            // "Q" alone on a line ends s_client.
            saying: [Line(after: "Verify return code: 0 (ok)", say: "hello"), Line(after: "\nhello\n", say: "Q")])
        #expect(status == 0, "\(output)")
        #expect(output.contains("\nhello\n"))
        try await server.close()
    }

    @Test func refusesOldVersionsAndRenegotiation() async throws {
        let server = try await EchoServer()
        let connect = ["openssl", "s_client", "-connect", "127.0.0.1:\(server.port)"]
        let (oldStatus, _) = try await Self.run(connect + ["-tls1_1", "-cipher", "DEFAULT:@SECLEVEL=0"])
        #expect(oldStatus != 0)
        // "R" alone on a line asks for a renegotiation; s_client ends when that is refused.
        let (_, output) = try await Self.run(
            connect + ["-tls1_2"], saying: [Line(after: "Verify return code", say: "R")])
        #expect(output.contains("RENEGOTIATING"))
        #expect(output.contains("no renegotiation"), "\(output)")
        try await server.close()
    }
}
