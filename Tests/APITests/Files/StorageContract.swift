import FluxFuzzing
import NIOCore
import Testing

@testable import FluxAPI

/// What every storage must do, tried on a real one.
enum StorageContract {
    static func check(_ storage: any ObjectStorage) async throws {
        let key = try #require(ObjectKey(["attachments", "5", "6", "name"]))
        let missing = try #require(ObjectKey(["attachments", "5", "7"]))
        var generator = SeededGenerator(seed: 51)
        let bytes = (0..<400_000).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        try await storage.put(UploadedContent(ByteBuffer(bytes: bytes)), at: key, contentType: "image/png")
        #expect(try await read(storage, key, nil) == bytes)
        #expect(try await read(storage, key, .from(0, through: 0)) == [bytes[0]])
        #expect(try await read(storage, key, .from(399_000, through: nil)) == Array(bytes[399_000...]))
        #expect(try await read(storage, key, .from(1_000, through: 250_000)) == Array(bytes[1_000...250_000]))
        #expect(try await read(storage, key, .last(10)) == Array(bytes.suffix(10)))
        let opened = try #require(try await storage.open(key, range: .from(7, through: 9)))
        #expect(opened.size == 400_000)
        #expect(opened.range == 7..<10)
        await #expect(throws: StorageError.unsatisfiable(size: 400_000)) {
            try await storage.open(key, range: .from(400_000, through: nil))
        }
        #expect(try await read(storage, missing, nil) == nil)

        try await storage.put(UploadedContent(ByteBuffer(bytes: [1, 2, 3])), at: key, contentType: "image/png")
        #expect(try await read(storage, key, nil) == [1, 2, 3])
        try await storage.put(UploadedContent(ByteBuffer()), at: missing, contentType: "text/plain")
        #expect(try await read(storage, missing, nil) == [])
        try await storage.delete(missing)
        try await storage.delete(missing)
        #expect(try await read(storage, missing, nil) == nil)

        // Many at once, more than there are kept connections or threads.
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<40 {
                group.addTask {
                    let key = try #require(ObjectKey(["many", "\(number)"]))
                    let content = [UInt8](repeating: UInt8(number), count: 50_000 + number)
                    try await storage.put(UploadedContent(ByteBuffer(bytes: content)), at: key, contentType: "a/b")
                    #expect(try await read(storage, key, nil) == content)
                }
            }
            try await group.waitForAll()
        }
        // A reader that is given up does not harm those after it.
        for _ in 0..<5 { _ = try await storage.open(key, range: nil)?.reader.next() }
        #expect(try await read(storage, key, nil) == [1, 2, 3])
    }

    static func read(_ storage: any ObjectStorage, _ key: ObjectKey, _ range: RequestedRange?) async throws -> [UInt8]?
    {
        guard let object = try await storage.open(key, range: range) else { return nil }
        var bytes: [UInt8] = []
        while let piece = try await object.reader.next() { bytes += Array(buffer: piece) }
        #expect(bytes.count == object.range.count)
        return bytes
    }
}
