import FluxCore
import Testing

@Suite struct MessageDraftTests {
    private func refusal(_ json: JSON) -> APIError? {
        do {
            _ = try MessageDraft(json: json)
            return nil
        } catch {
            return error
        }
    }

    @Test func readsABody() throws {
        let draft = try MessageDraft(json: [
            "content": "hello", "nonce": 12, "enforce_nonce": true, "tts": false, "flags": 4100, "unknown": ["x"],
            "embeds": [["title": "t"]],
            "message_reference": ["message_id": 175_928_847_299_117_063, "fail_if_not_exists": false],
            "attachments": [["id": 0, "filename": "a.png"], ["id": "1", "description": "d"]], "components": nil,
        ])
        #expect(draft.content == "hello")
        #expect(draft.nonce == 12)
        #expect(draft.nonceText == "12")
        #expect(draft.enforceNonce)
        #expect(draft.flags == 4100)
        #expect(draft.embeds == [["title": "t", "type": "rich"]])
        #expect(draft.reference?.messageID == MessageID(175_928_847_299_117_063))
        #expect(draft.reference?.failIfNotExists == false)
        #expect(draft.attachments.map(\.partNumber) == [0, 1])
        #expect(draft.allowedMentions == nil)
    }

    @Test func nullMeansAbsent() throws {
        let draft = try MessageDraft(json: [
            "content": nil, "nonce": nil, "tts": nil, "embeds": nil, "allowed_mentions": nil, "message_reference": nil,
            "attachments": nil, "flags": nil, "sticker_ids": nil, "enforce_nonce": nil,
        ])
        #expect(draft == MessageDraft(content: ""))
    }

    @Test func contentIsCountedInScalars() {
        #expect(refusal(["content": .string(String(repeating: "👍", count: 2000))]) == nil)
        #expect(refusal(["content": .string(String(repeating: "👍", count: 2001))])?.code == 50035)
        #expect(refusal(["content": .string(String(repeating: "e\u{301}", count: 1000))]) == nil)
        #expect(refusal(["content": .string(String(repeating: "e\u{301}", count: 1001))])?.code == 50035)
    }

    @Test(
        arguments: [
            ["content": 5], ["nonce": "12345678901234567890123456"], ["nonce": 1.5], ["nonce": true], ["tts": "yes"],
            ["embeds": [1]], ["embeds": [:]], ["embeds": [[:], [:], [:], [:], [:], [:], [:], [:], [:], [:], [:]]],
            ["message_reference": 5], ["message_reference": [:]], ["message_reference": ["message_id": "x"]],
            ["attachments": [["id": "x"]]], ["attachments": [3]], ["flags": -1], ["components": [4]],
            ["sticker_ids": ["x"]], 5, [],
        ] as [JSON])
    func refusesWrongForms(json: JSON) {
        #expect(refusal(json)?.status == 400)
        #expect(refusal(json)?.code == 50035)
    }

    @Test func everyMistakeIsReportedAtItsPlace() throws {
        let error = try #require(refusal(["tts": 1, "embeds": [[:], 7], "allowed_mentions": ["parse": ["x"]]]))
        let body = try JSON.parse(error.encoded())
        #expect(body["code"] == 50035)
        #expect(body["errors"]?["tts"]?["_errors"]?.arrayValue?.count == 1)
        #expect(body["errors"]?["embeds"]?["1"]?["_errors"]?.arrayValue?.first?["code"] == "DICT_TYPE_CONVERT")
        #expect(body["errors"]?["allowed_mentions"]?["parse"]?["0"]?["_errors"] != nil)
    }

    @Test func anEmptyMessageIsRefused() throws {
        for content in ["", " \n\t", "\u{3000}"] {
            let draft = try MessageDraft(json: ["content": .string(content)])
            #expect(throws: APIError.emptyMessage) { try draft.checkNotEmpty(fileCount: 0) }
            #expect(throws: Never.self) { try draft.checkNotEmpty(fileCount: 1) }
        }
        let embed = try MessageDraft(json: ["embeds": [["title": "x"]]])
        #expect(throws: Never.self) { try embed.checkNotEmpty(fileCount: 0) }
    }

    @Test func anEditTellsAbsentFromNull() throws {
        #expect(try MessageEdit(json: [:]) == MessageEdit())
        let emptied = try MessageEdit(json: ["content": nil, "embeds": nil, "attachments": nil])
        #expect(emptied == MessageEdit(content: "", embeds: [], attachments: []))
        #expect(try MessageEdit(json: ["flags": 4]).changesFlagsOnly)
        #expect(try !MessageEdit(json: ["flags": 4, "content": "x"]).changesFlagsOnly)
        let kept = try MessageEdit(json: ["attachments": [["id": "175928847299117063"], ["id": 0]]])
        #expect(kept.attachments?.map(\.partNumber) == [nil, 0])
    }
}
