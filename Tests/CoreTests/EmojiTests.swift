import FluxCore
import Testing

@Suite struct EmojiTests {
    @Test(arguments: ["👍", "👍🏽", "❤️", "❤", "🏳️‍🌈", "👨‍👩‍👧‍👦", "🇩🇪", "1️⃣", "©", "🏴󠁧󠁢󠁥󠁮󠁧󠁿"])
    func readsUnicode(text: String) throws {
        let emoji = try #require(Emoji(pathSegment: text))
        #expect(emoji.id == nil)
        #expect(emoji.key == text)
        #expect(Emoji(key: emoji.key) == emoji)
    }

    @Test func readsCustomOnes() throws {
        let emoji = try #require(Emoji(pathSegment: "blob_1:123456789012345678"))
        #expect(emoji == Emoji(id: EmojiID(123_456_789_012_345_678), name: "blob_1"))
        #expect(emoji.key == "blob_1:123456789012345678")
        #expect(Emoji(pathSegment: "a:wave:5") == Emoji(id: EmojiID(5), name: "wave", animated: true))
    }

    @Test(arguments: [
        "", "a", "1", "#", "hello", "👍👍", "👍a", "x:", ":1", "a b:1", "x:0", "x:y", "b:x:1", "x:1:2:3", "\u{0}", " ",
    ])
    func refusesOtherText(text: String) {
        #expect(Emoji(pathSegment: text) == nil)
    }

    @Test func refusesAnEndlessGrapheme() {
        #expect(Emoji(pathSegment: "👍" + String(repeating: "\u{FE0F}", count: 1000)) == nil)
    }

    @Test func pathSegmentsAreDecodedAndEncoded() {
        #expect(PercentEncoding.decode("%F0%9F%91%8D") == "👍")
        #expect(PercentEncoding.decode("name%3a123") == "name:123")
        #expect(PercentEncoding.encode("a b/ü.png") == "a%20b%2F%C3%BC.png")
        for bad in ["%", "%1", "%zz", "%FF"] { #expect(PercentEncoding.decode(bad) == nil) }
    }
}
