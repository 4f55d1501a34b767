import FluxCore
import FluxFuzzing
import Testing

/// Bodies, path segments and small texts of clients: whatever comes is read within its bounds or refused with the contract's errors.
@Suite struct FormFuzzTests {
    private static let drafts: [JSON] = [
        [
            "content": "hello <@4242> @everyone", "nonce": "n1", "enforce_nonce": true, "tts": false, "flags": 4096,
            "embeds": [["title": "t", "description": "d", "fields": [["name": "a", "value": "b"]]]],
            "allowed_mentions": [
                "parse": ["users", "roles"], "users": ["1", 9_007_199_254_740_993], "replied_user": true,
            ],
            "message_reference": ["message_id": "175928847299117063", "channel_id": 7, "type": 0],
            "components": [["type": 1, "components": [["type": 2]]]], "sticker_ids": ["1", 2],
            "attachments": [["id": 0, "filename": "a.png", "description": "x"], ["id": "1"]],
        ],
        ["content": nil, "embeds": [], "attachments": nil, "nonce": 17],
    ]

    /// A refusal is one of the contract: a form's names at least one field, and each complaint has both its parts.
    private func check(_ error: APIError) {
        #expect(error.status == 400)
        guard error.code == 50035 else { return }
        guard let errors = try? JSON.parse(error.encoded())["errors"] else {
            Issue.record("\(error) names nothing")
            return
        }
        #expect(errors.objectValue?.members.isEmpty == false)
    }

    @Test func messagesAreReadWithinTheirBoundsOrRefused() {
        var generator = FuzzGenerator(seed: 51)
        var accepted = 0
        for _ in 0..<FuzzBudget.inputs {
            let body = generator.oneIn(20) ? generator.json() : generator.mutate(generator.pick(Self.drafts))
            do throws(APIError) {
                let draft = try MessageDraft(json: body)
                accepted += 1
                #expect(draft.content.unicodeScalars.count <= MessageLimits.content)
                #expect((draft.embeds.arrayValue?.count ?? .max) <= MessageLimits.embeds)
                #expect(draft.stickerIDs.count <= MessageLimits.stickers)
                #expect((draft.nonceText ?? "").unicodeScalars.count <= 25)
                #expect(draft.flags & ~MessageLimits.senderFlags == 0)
                _ = try draft.checkNotEmpty(fileCount: 1)
            } catch {
                check(error)
            }
            do throws(APIError) { _ = try MessageEdit(json: body) } catch { check(error) }
        }
        #expect(accepted > FuzzBudget.inputs / 100)
    }

    @Test func mentionsInAnyTextAreFoundWithoutHarm() {
        var generator = FuzzGenerator(seed: 52)
        for _ in 0..<FuzzBudget.inputs {
            let text = generator.mutate(
                "hi <@123> <@!45> <@&6> <#7> @everyone @here `<@8>`", alphabet: "<@!&#>0123456789`\\ \n")
            let found = ScannedMentions(scanning: text)
            let ids = found.users + found.roles
            #expect(ids.allSatisfy { $0.rawValue > 0 && text.contains($0.description) })
        }
    }

    @Test func percentCodingIsItsOwnInverse() {
        var generator = FuzzGenerator(seed: 53)
        for _ in 0..<FuzzBudget.inputs {
            let text = generator.text()
            #expect(PercentEncoding.decode(PercentEncoding.encode(text)) == text)
            let hostile = generator.mutate(
                PercentEncoding.encode(text + "é/"), alphabet: "%0123456789abcdefABCDEFxyz+&=")
            guard let decoded = PercentEncoding.decode(hostile) else { continue }
            #expect(PercentEncoding.decode(PercentEncoding.encode(decoded)) == decoded)
        }
    }

    @Test func emojiOfPathsAreReadOrRefused() {
        var generator = FuzzGenerator(seed: 54)
        var accepted = 0
        for _ in 0..<FuzzBudget.inputs {
            let seed = generator.pick(["👍🏽", "🇩🇪", "1️⃣", "name:123456789012345678", "a:name:1", ":x:2", "👨‍👩‍👧‍👦"])
            let segment = generator.mutate(seed, alphabet: "0123456789:abc_ 👍\u{FE0F}\u{200D}\u{0}")
            guard let emoji = Emoji(pathSegment: segment) else { continue }
            accepted += 1
            #expect(emoji.name.utf8.count <= 64 && !emoji.name.isEmpty)
            #expect(Emoji(key: emoji.key)?.key == emoji.key)
        }
        #expect(accepted > 0)
    }

    @Test func idsTimesAndPermissionsAreReadOrRefused() {
        var generator = FuzzGenerator(seed: 55)
        for _ in 0..<FuzzBudget.inputs {
            let digits = generator.mutate(
                generator.pick(["175928847299117063", "9223372036854775807", "0", "1"]), alphabet: "0123456789+-eE. _")
            if let id = Snowflake(digits) { #expect(id.rawValue > 0 && id.rawValue <= UInt64(Int64.max)) }
            if let cursor = Snowflake(cursor: digits) { #expect(cursor.rawValue <= UInt64(Int64.max)) }
            if let permissions = Permissions(json: .string(digits)) {
                #expect(Permissions(json: .string(permissions.description)) == permissions)
            }
            let moment = generator.mutate("2026-01-31T12:00:00.123456+02:30", alphabet: "0123456789-+:.TZ")
            if let time = Timestamp(iso8601: moment) {
                #expect(Timestamp(iso8601: time.iso8601) == time, "\(moment)")
            }
        }
    }
}
