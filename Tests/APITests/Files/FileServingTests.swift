import FluxAPI
import FluxCore
import FluxRealtime
import Foundation
import Testing

/// Files from upload to download, seen from a socket (protocol 5.5, 5.12).
@Suite struct FileServingTests {
    /// A node whose channel answers a send with what was attached.
    private static func engine() -> FakeEngine {
        FakeEngine { command in
            guard case .channel(let command, let channel) = command, case .send(let attachments) = command.operation
            else {
                return .nothing
            }
            return .ok { writer in
                writer.beginArray()
                for attachment in attachments { attachment.write(to: &writer, base: "", channelID: channel) }
                writer.endArray()
            }
        }
    }

    private static func form(_ parts: [(String, [UInt8])]) -> [UInt8] {
        parts.flatMap {
            Array("--B\r\nContent-Disposition: form-data; \($0.0)\r\n\r\n".utf8) + $0.1 + Array("\r\n".utf8)
        }
            + Array("--B--\r\n".utf8)
    }

    private static let fields = [("content-type", "multipart/form-data; boundary=B"), ("transfer-encoding", "chunked")]

    @Test func whatIsUploadedIsServed() async throws {
        try await TestNode.run(engine: Self.engine()) { node in
            let picture = try await node.client.send("GET", "/embed/avatars/3.png", as: nil).body
            let text = Array("hello, file".utf8)
            // As hikari does: the JSON last and with a file name, names percent-encoded in the part and plain in the JSON.
            let body = Self.form([
                ("name=\"files[0]\"; filename=\"gr%C3%BCn.png\"", picture),
                ("name=\"files[1]\"; filename=\"no%20te.html\"", text),
                (
                    "name=\"payload_json\"; filename=\"payload_json\"",
                    Array(#"{"attachments":[{"id":"0","filename":"../grün.png","description":"d"}]}"#.utf8)
                ),
            ])
            let sent = try await node.client.send(
                "POST", "/api/v10/channels/5/messages", as: "bot 7", Self.fields, body: chunked(body, pieces: 50))
            #expect(sent.status == 200)
            let attachments = try #require(try JSON.parse(sent.body).arrayValue)
            #expect(attachments.map { $0["filename"]?.stringValue } == ["grün.png", "no te.html"])
            #expect(attachments[0]["description"] == "d")
            #expect(attachments[0]["width"] == 128)
            #expect(attachments[0]["content_type"] == "image/png")
            #expect(attachments[1]["width"] == nil)

            let shown = try await node.client.send("GET", try #require(attachments[0]["url"]?.stringValue), as: nil)
            #expect(shown.status == 200)
            #expect(shown.body == picture)
            #expect(shown["content-type"] == "image/png")
            #expect(shown["content-disposition"] == nil)
            let url = try #require(attachments[1]["url"]?.stringValue)
            let saved = try await node.client.send("GET", url, as: nil)
            #expect(saved.body == text)
            #expect(saved["content-disposition"] == "attachment; filename*=UTF-8''no%20te.html")
            for answer in [shown, saved] {
                #expect(answer["x-content-type-options"] == "nosniff")
                #expect(answer["content-security-policy"] == "sandbox; default-src 'none'")
                #expect(answer["cache-control"]?.hasPrefix("private") == true)
                #expect(answer["via"] == "1.1 flux")
            }

            let part = try await node.client.send("GET", url, as: nil, [("range", "bytes=7-10")])
            #expect(part.status == 206)
            #expect(part.text == "file")
            #expect(part["content-range"] == "bytes 7-10/11")
            let outside = try await node.client.send("GET", url, as: nil, [("range", "bytes=11-")])
            #expect(outside.status == 416)
            #expect(outside["content-range"] == "bytes */11")
            let head = try await node.client.send("HEAD", url, as: nil)
            #expect(head.status == 200)
            #expect(head.body.isEmpty)
            #expect(head["content-length"] == "11")
            let tag = try #require(saved["etag"])
            let unchanged = try await node.client.send("GET", url, as: nil, [("if-none-match", "\"x\", \(tag)")])
            #expect(unchanged.status == 304)
            #expect(unchanged.body.isEmpty)
            let other = try await node.client.send(
                "GET", url, as: nil, [("range", "bytes=0-1"), ("if-range", "\"x\"")])
            #expect(other.status == 200)
            // Neither another name nor another channel leads to the bytes.
            #expect(try await node.client.send("GET", url + "x", as: nil).status == 404)
            #expect(
                try await node.client.send("GET", url.replacing("/attachments/5/", with: "/attachments/6/"), as: nil)
                    .status == 404)
        }
    }

    @Test func filesOfRefusedMessagesAreForgotten() async throws {
        let engine = FakeEngine { command in
            if case .channel(let command, _) = command, case .send = command.operation {
                throw APIError.missingPermissions
            }
            return .nothing
        }
        try await TestNode.run(engine: engine) { node in
            let body = Self.form([("name=\"files[0]\"; filename=\"a.txt\"", [1, 2, 3])])
            let answer = try await node.client.send(
                "POST", "/api/v10/channels/5/messages", as: "bot 7", Self.fields, body: chunked(body, pieces: 3))
            #expect(answer.status == 403)
            #expect(node.files.files.isEmpty)
            #expect(node.uploads.files.isEmpty)
        }
    }

    @Test func whoCannotSeeAChannelUploadsNothing() async throws {
        try await TestNode.run(engine: FakeEngine { _ in throw APIError.missingAccess }) { node in
            let body = Self.form([("name=\"files[0]\"; filename=\"a.txt\"", [1])])
            let answer = try await node.client.send(
                "POST", "/api/v10/channels/5/messages", as: "bot 7", Self.fields, body: chunked(body, pieces: 3))
            #expect(answer.status == 403)
            #expect(node.engine.commands.count == 1)
        }
    }

    @Test func formsAreBounded() async throws {
        let limits = MultipartLimits(files: 2, fileBytes: 1_000)
        try await TestNode.run(engine: Self.engine(), multipart: limits) { node in
            func send(_ parts: [(String, [UInt8])]) async throws -> TestResponse {
                try await node.client.send(
                    "POST", "/api/v10/channels/5/messages", as: "bot 7", Self.fields,
                    body: chunked(Self.form(parts), pieces: 4))
            }
            let large = try await send([("name=\"files[0]\"", [UInt8](repeating: 0, count: 1_001))])
            #expect(large.status == 413)
            #expect(large.text.contains("40005"))
            let many = try await send((0..<3).map { ("name=\"files[\($0)]\"", [1]) })
            #expect(many.status == 400)
            #expect(many.text.contains("50035"))
            #expect(try await send([("name=payload_json", [1])]).text.contains("50109"))
            #expect(node.files.files.isEmpty)
        }
    }

    @Test func profilePicturesGoRound() async throws {
        try await TestNode.run { node in
            let picture = try await node.client.send("GET", "/embed/avatars/0.png", as: nil).body
            let uri = "data:image/jpeg;base64," + base64(picture)
            #expect(
                try await node.client.send("PATCH", "/api/v10/users/@me", json: #"{"avatar":"\#(uri)"}"#).status == 204)
            guard case .user(let command) = try #require(node.engine.commands.first) else { return }
            let hash = try #require(command.body["avatar"]?.stringValue)
            for path in [
                "avatars/7/\(hash).png", "avatars/7/\(hash).webp?size=64", "icons/9/\(hash).jpg",
                "banners/7/\(hash).gif",
            ] {
                let answer = try await node.client.send("GET", "/" + path, as: nil)
                #expect(answer.status == 200)
                #expect(answer.body == picture)
                // What it is, not what it is called.
                #expect(answer["content-type"] == "image/png")
                #expect(answer["x-content-type-options"] == "nosniff")
            }
            let missing = String(repeating: "0", count: 32)
            for path in [
                "avatars/7/\(missing).png", "avatars/7/\(hash)", "avatars/7/..%2F\(hash).png", "embed/avatars/6.png",
                "embed/avatars/-1.png", "embed/avatars/x.png",
            ] {
                #expect(try await node.client.send("GET", "/" + path, as: nil).status == 404)
            }
            let refused = try await node.client.send("PATCH", "/api/v10/users/@me", json: #"{"avatar":"\#(hash)"}"#)
            #expect(refused.status == 400)
            #expect(refused.text.contains("IMAGE_INVALID"))
        }
    }

    @Test func idsOfAttachmentsCannotBeGuessed() {
        let ids = (0..<1_000).map { _ in AttachmentStore.unguessableID() }
        #expect(Set(ids).count == 1_000)
        #expect(ids.allSatisfy { $0.rawValue >= 1 << 62 && $0.rawValue < 1 << 63 })
        // Every random bit takes both values.
        let union = ids.reduce(0) { $0 | $1.rawValue }
        let intersection = ids.reduce(UInt64.max) { $0 & $1.rawValue }
        // Named with their types: left to itself `#expect` takes the literals for Int, where the first overflows.
        let everyBit: UInt64 = (1 << 63) - 1
        let fixedBit: UInt64 = 1 << 62
        #expect(union == everyBit)
        #expect(intersection == fixedBit)
    }
}

private func base64(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }
