import FluxCore
import FluxFuzzing
import Hummingbird
import NIOCore
import Testing

@testable import FluxAPI

/// Forms from requests, with their files in memory and on the disk.
@Suite struct UploadTests {
    private func request(_ parts: [(header: String, content: [UInt8])], piece: Int = 10_000) -> Request {
        var body: [UInt8] = []
        for part in parts { body += Array("--B\r\n\(part.header)\r\n\r\n".utf8) + part.content + Array("\r\n".utf8) }
        body += Array("--B--\r\n".utf8)
        let pieces = stride(from: 0, to: body.count, by: piece).map {
            ByteBuffer(bytes: body[$0..<min(body.count, $0 + piece)])
        }
        let stream = AsyncStream<ByteBuffer> { continuation in
            for piece in pieces { continuation.yield(piece) }
            continuation.finish()
        }
        return Request(
            head: HTTPRequest(
                method: .post, scheme: nil, authority: nil, path: "/",
                headerFields: [.contentType: "multipart/form-data; boundary=B"]),
            body: RequestBody(asyncSequence: stream))
    }

    private func file(_ index: Int, _ content: [UInt8]) -> (header: String, content: [UInt8]) {
        ("Content-Disposition: form-data; name=\"files[\(index)]\"; filename=\"f\(index)\"", content)
    }

    @Test func filesComeBackAsTheyWereInWhateverOrder() async throws {
        let directory = try TestDirectory()
        let spool = try UploadSpool(directory: directory.path, memoryBytes: 1_000)
        var generator = SeededGenerator(seed: 21)
        let small = (0..<900).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        let large = (0..<300_000).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        do {
            let form = try await MultipartForm.read(
                request([
                    file(1, large), ("Content-Disposition: form-data; name=other", Array("ignored".utf8)),
                    (
                        "Content-Disposition: form-data; name=payload_json; filename=payload_json",
                        Array(#"{"a":1}"#.utf8)
                    ),
                    file(0, small), file(2, []),
                ]), limits: MultipartLimits(), spool: spool)
            #expect(form.payload == ["a": 1])
            #expect(form.files.map(\.index) == [0, 1, 2])
            #expect(form.files.map(\.filename) == ["f0", "f1", "f2"])
            #expect(form.files.map(\.content.size) == [900, 300_000, 0])
            #expect(Array(buffer: try await form.files[0].content.read(0..<2_000)) == small)
            #expect(Array(buffer: try await form.files[1].content.read(0..<300_000)) == large)
            #expect(Array(buffer: try await form.files[1].content.read(299_990..<400_000)) == Array(large.suffix(10)))
            #expect(directory.files.count == 1)
        }
        // The temporary file goes with the form.
        #expect(directory.files.isEmpty)
    }

    @Test func whatIsRefusedLeavesNothingBehind() async throws {
        let directory = try TestDirectory()
        let spool = try UploadSpool(directory: directory.path, memoryBytes: 100)
        let limits = MultipartLimits(fileBytes: 5_000)
        let cases: [(Request, APIError)] = [
            (request([file(0, [UInt8](repeating: 1, count: 5_001))], piece: 500), .requestTooLarge),
            (
                request([file(0, [1]), ("Content-Disposition: form-data; name=payload_json", [UInt8(ascii: "{")])]),
                .notJSON
            ),
        ]
        for (request, expected) in cases {
            await #expect(throws: expected) { try await MultipartForm.read(request, limits: limits, spool: spool) }
        }
        for broken in [request([file(0, [1]), file(0, [2])]), request([("Nothing: here", [])])] {
            await #expect {
                try await MultipartForm.read(broken, limits: limits, spool: spool)
            } throws: { ($0 as? APIError)?.code == 50035 }
        }
        #expect(directory.files.isEmpty)
    }

    @Test func uploadsAreBoundedInNumber() async throws {
        let directory = try TestDirectory()
        let spool = try UploadSpool(directory: directory.path, uploads: 2)
        let limits = MultipartLimits()
        do {
            let held = try await MultipartForm.read(
                request([file(0, [1]), file(1, [2])]), limits: limits, spool: spool)
            await #expect(throws: APIError.serviceUnavailable) {
                try await MultipartForm.read(request([file(0, [1])]), limits: limits, spool: spool)
            }
            #expect(held.files.count == 2)
        }
        #expect(try await MultipartForm.read(request([file(0, [1])]), limits: limits, spool: spool).files.count == 1)
    }

    @Test func anEarlierRunIsCleanedUp() throws {
        let directory = try TestDirectory()
        let left = try PosixFile(creating: directory.path + "/upload-left")
        let foreign = try PosixFile(creating: directory.path + "/other")
        _ = try UploadSpool(directory: directory.path)
        #expect(directory.files == ["other"])
        withExtendedLifetime((left, foreign)) {}
    }
}
