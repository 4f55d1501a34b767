import FluxCore
import FluxFuzzing
import Testing

@testable import FluxStore

/// JSON that Postgres holds: written by us, and perhaps by an older node or a hand in psql since.
@Suite struct StoredJSONFuzzTests {
    private var message: Message {
        Message(
            id: MessageID(9), channelID: ChannelID(8), guildID: GuildID(7), authorID: UserID(6), content: "c",
            attachments: [
                Attachment(
                    id: AttachmentID(5), filename: "a.png", size: 10, contentType: "image/png", width: 3, height: 4)
            ],
            embeds: [["title": "t", "type": "rich"]], components: [["type": 1]], stickerIDs: [Snowflake(4)],
            reference: MessageReference(channelID: ChannelID(8), messageID: MessageID(3), guildID: GuildID(7)), seq: 1,
            epoch: 1)
    }

    @Test func extrasOfMessagesAreReadOrReportedAsCorrupt() throws {
        var generator = FuzzGenerator(seed: 91)
        let original = message
        let document = try #require(MessageExtras.encode(original))
        let value = try JSON.parse(document)
        var unharmed = Message(
            id: original.id, channelID: original.channelID, guildID: original.guildID, authorID: original.authorID,
            content: original.content, seq: 1, epoch: 1)
        try MessageExtras.decode(document, into: &unharmed)
        #expect(unharmed == original)

        var read = 0
        for _ in 0..<FuzzBudget.inputs {
            let bytes =
                generator.oneIn(2)
                ? generator.mutate(value).encoded()
                : generator.mutate(document, alphabet: Array("{}[]\",:\\u0123tfn\u{0}".utf8) + [0xC3, 0xFF])
            var stored = message
            do throws(StoreError) { try MessageExtras.decode(bytes, into: &stored) } catch {
                guard case .corrupt = error else {
                    Issue.record("\(error)")
                    continue
                }
                continue
            }
            read += 1
            // What was read can be stored again, means the same then, and can be shown.
            if let again = MessageExtras.encode(stored) {
                var twice = message
                try MessageExtras.decode(again, into: &twice)
                #expect(twice.attachments == stored.attachments && twice.reference == stored.reference)
                #expect(twice.stickerIDs == stored.stickerIDs)
            }
            var writer = JSONWriter()
            stored.write(
                to: &writer, author: User(id: stored.authorID, username: "u"), mentions: [], mediaBase: "http://x")
            #expect((try? JSON.parse(writer.bytes)) != nil)
            _ = try? MessageColumns.nonce(String(decoding: bytes, as: UTF8.self))
        }
        #expect(read > FuzzBudget.inputs / 10)
    }
}
