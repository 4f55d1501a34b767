import Foundation
import NIOCore
import Testing

@testable import FluxAPI

@Suite struct DirectoryStorageTests {
    @Test func itKeepsTheContract() async throws {
        let directory = try TestDirectory()
        try await StorageContract.check(DirectoryStorage(root: directory.path))
        // Nothing half written is left.
        #expect(!directory.files.contains { $0.hasPrefix(".writing/") })
    }

    @Test func aCrashLeavesNoHalfObject() async throws {
        let directory = try TestDirectory()
        _ = try DirectoryStorage(root: directory.path)
        let half = try PosixFile(creating: directory.path + "/.writing/half")
        try half.write(ByteBuffer(string: "ab"), at: 0)
        let storage = try DirectoryStorage(root: directory.path)
        #expect(directory.files.isEmpty)
        let key = try #require(ObjectKey(["a", "b"]))
        try await storage.put(UploadedContent(ByteBuffer(string: "kept")), at: key, contentType: "a/b")
        let again = try DirectoryStorage(root: directory.path)
        #expect(try await StorageContract.read(again, key, nil) == Array("kept".utf8))
    }

    @Test func spooledFilesArePutWhole() async throws {
        let directory = try TestDirectory()
        let storage = try DirectoryStorage(root: directory.path + "/files")
        let spool = try UploadSpool(directory: directory.path + "/uploads", memoryBytes: 10)
        var writer = try spool.begin()
        for number in 0..<100 { try await writer.append(ByteBuffer(string: "line \(number)\n")) }
        let content = try await writer.finish()
        let key = try #require(ObjectKey(["a"]))
        try await storage.put(content, at: key, contentType: "text/plain")
        let expected = (0..<100).map { "line \($0)\n" }.joined()
        #expect(try await StorageContract.read(storage, key, nil) == Array(expected.utf8))
    }

    @Test func keysCannotLeaveTheDirectory() {
        for segments in [[".."], ["a", "."], ["a/b"], [""], [], ["A"], ["a\u{0}"], ["é"], ["a.b"]] {
            #expect(ObjectKey(segments) == nil)
        }
        #expect(ObjectKey(["a-b_0", "1"])?.description == "a-b_0/1")
    }

    @Test func aStorageThatCannotWriteSaysSo() async throws {
        let directory = try TestDirectory()
        let storage = try DirectoryStorage(root: directory.path)
        try FileManager.default.removeItem(atPath: directory.path + "/.writing")
        let key = try #require(ObjectKey(["a"]))
        await #expect(throws: StorageError.self) {
            try await storage.put(UploadedContent(ByteBuffer(string: "x")), at: key, contentType: "a/b")
        }
        #expect(directory.files.isEmpty)
    }
}
