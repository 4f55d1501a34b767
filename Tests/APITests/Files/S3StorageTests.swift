import Foundation
import HTTPTypes
import Hummingbird
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import Testing

@testable import FluxAPI

/// The client against a server that fails the way networks and services do.
@Suite struct S3StorageTests {
    private func storage(port: Int) throws -> S3Storage {
        let configuration = S3Configuration(
            endpoint: "http://127.0.0.1:\(port)", bucket: "bucket", region: "r",
            credentials: .init(accessKeyID: "id", secretAccessKey: "secret"))
        return try S3Storage(try #require(configuration), group: MultiThreadedEventLoopGroup.singleton)
    }

    /// Answers requests by their number, from 1.
    private func run(
        _ answer: @escaping @Sendable (Int, Request) async throws -> Response,
        _ body: @escaping @Sendable (S3Storage, NIOLockedValueBox<Int>) async throws -> Void
    ) async throws {
        let count = NIOLockedValueBox(0)
        try await TestServer.run { request, writer, _ in
            let number = count.withLockedValue {
                $0 += 1
                return $0
            }
            let response = try await answer(number, request)
            try await writer.write(response: response.head, body: response.body)
        } _: { server in
            try await body(try storage(port: server.port), count)
        }
    }

    private struct Cut: Error {}

    @Test func whatMayHelpIsRepeated() async throws {
        let key = try #require(ObjectKey(["k"]))
        try await run { number, request in
            // The body must come whole each time.
            let body = try await request.body.collect(upTo: 1 << 20)
            #expect(body.readableBytes == 300_000)
            #expect(
                request.headers[.authorization]?.contains("SignedHeaders=content-length;content-type;host;") == true)
            switch number {
            case 1: return Response(status: .serviceUnavailable)
            case 2: throw Cut()
            default: return Response(status: .ok)
            }
        } _: { storage, count in
            let content = UploadedContent(ByteBuffer(bytes: [UInt8](repeating: 1, count: 300_000)))
            try await storage.put(content, at: key, contentType: "a/b")
            #expect(count.withLockedValue { $0 } == 3)
        }
    }

    @Test func aRefusalIsNotRepeatedAndSaysWhy() async throws {
        let key = try #require(ObjectKey(["k"]))
        try await run { _, _ in
            Response(
                status: .forbidden,
                body: ResponseBody(byteBuffer: ByteBuffer(string: "<Error><Code>SignatureDoesNotMatch</Code></Error>")))
        } _: { storage, count in
            await #expect {
                try await storage.put(UploadedContent(ByteBuffer()), at: key, contentType: "a/b")
            } throws: { error in
                if case .refused(let text) = error as? StorageError {
                    text.contains("SignatureDoesNotMatch")
                } else {
                    false
                }
            }
            #expect(count.withLockedValue { $0 } == 1)
        }
    }

    @Test func aServiceThatStaysAwayIsUnavailable() async throws {
        let key = try #require(ObjectKey(["k"]))
        try await run { _, _ in
            Response(status: .internalServerError)
        } _: { storage, count in
            await #expect {
                try await storage.open(key, range: nil)
            } throws: { error in
                if case .unavailable = error as? StorageError { true } else { false }
            }
            #expect(count.withLockedValue { $0 } == 4)
        }
    }

    @Test func aMissingBucketIsNotAMissingFile() async throws {
        let key = try #require(ObjectKey(["k"]))
        try await run { number, _ in
            Response(
                status: .notFound,
                body: ResponseBody(
                    byteBuffer: ByteBuffer(string: number == 1 ? "<Code>NoSuchKey</Code>" : "<Code>NoSuchBucket</Code>")
                ))
        } _: { storage, _ in
            let missing = try await StorageContract.read(storage, key, nil)
            #expect(missing == nil)
            await #expect(throws: StorageError.self) { try await storage.open(key, range: nil) }
        }
    }

    @Test func connectionsAreUsedAgainAndClosedOnesReplaced() async throws {
        let key = try #require(ObjectKey(["k"]))
        let connections = NIOLockedValueBox<Set<ObjectIdentifier>>([])
        try await TestServer.run { request, writer, channel in
            connections.withLockedValue { _ = $0.insert(ObjectIdentifier(channel)) }
            let isLast = request.headers[.range] != nil
            let response = Response(
                status: isLast ? .partialContent : .ok,
                headers: isLast ? [.contentRange: "bytes 0-1/2", .connection: "close"] : [:],
                body: ResponseBody(byteBuffer: ByteBuffer(string: "ab")))
            try await writer.write(response: response.head, body: response.body)
        } _: { server in
            let storage = try storage(port: server.port)
            for _ in 0..<10 { #expect(try await StorageContract.read(storage, key, nil) == Array("ab".utf8)) }
            #expect(connections.withLockedValue(\.count) == 1)
            #expect(try await StorageContract.read(storage, key, .last(2)) == Array("ab".utf8))
            #expect(try await StorageContract.read(storage, key, nil) == Array("ab".utf8))
            #expect(connections.withLockedValue(\.count) == 2)
        }
    }

    @Test func aSlowReaderHoldsBackTheServer() async throws {
        let key = try #require(ObjectKey(["k"]))
        let total = 64 << 20
        let sent = NIOLockedValueBox(0)
        try await TestServer.run { _, writer, channel in
            let body = ResponseBody(contentLength: total) { writer in
                let piece = ByteBuffer(repeating: 7, count: 1 << 20)
                for _ in 0..<64 {
                    try await writer.write(piece)
                    // The writer waits while the channel is full, and the channel finds out on its loop.
                    try await channel.eventLoop.submit {}.get()
                    sent.withLockedValue { $0 += piece.readableBytes }
                }
                try await writer.finish(nil)
            }
            let response = Response(status: .ok, body: body)
            try await writer.write(response: response.head, body: response.body)
        } _: { server in
            let storage = try storage(port: server.port)
            let object = try #require(try await storage.open(key, range: nil))
            var count = try #require(try await object.reader.next()).readableBytes
            // Long enough for an eager client to have taken in everything.
            try await Task.sleep(for: .milliseconds(300))
            #expect(sent.withLockedValue { $0 } < total / 2)
            while let piece = try await object.reader.next() { count += piece.readableBytes }
            #expect(count == total)
        }
    }
}
