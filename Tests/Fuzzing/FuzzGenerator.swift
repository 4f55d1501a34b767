import FluxCore

/// Draws hostile inputs from a seed: the same seed gives the same inputs on every machine, so that a failing
/// one can be made again.
public struct FuzzGenerator: RandomNumberGenerator {
    private var source: SplitMix64

    public init(seed: UInt64) { source = SplitMix64(seed: seed) }

    public mutating func next() -> UInt64 { source.next() }

    /// A number below `bound`, which is at least 1.
    public mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }

    /// True once in so many times.
    public mutating func oneIn(_ times: Int) -> Bool { below(times) == 0 }

    public mutating func pick<Element>(_ elements: [Element]) -> Element { elements[below(elements.count)] }

    // MARK: Bytes

    public mutating func bytes(upTo limit: Int) -> [UInt8] {
        (0..<below(limit + 1)).map { _ in UInt8(truncatingIfNeeded: next()) }
    }

    /// `bytes` with up to four places changed: replaced, a bit turned, removed, inserted, doubled, cut off, or spliced with
    /// bytes that mean something to the reader.
    public mutating func mutate(_ bytes: [UInt8], alphabet: [UInt8]) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<(1 + below(4)) where !bytes.isEmpty {
            let place = below(bytes.count)
            switch below(8) {
            case 0: bytes[place] = pick(alphabet)
            case 1: bytes[place] = UInt8(truncatingIfNeeded: next())
            case 2: bytes[place] ^= 1 << UInt8(below(8))
            case 3: bytes.remove(at: place)
            case 4: bytes.insert(pick(alphabet), at: place)
            case 5: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + 1 + below(16))], at: place)
            case 6: bytes.insert(contentsOf: (0..<below(4)).map { _ in pick(alphabet) }, at: place)
            default: if oneIn(4) { bytes.removeSubrange(place...) }
            }
        }
        return bytes
    }

    /// The same for text; what comes out is repaired to be UTF-8.
    public mutating func mutate(_ text: String, alphabet: String) -> String {
        String(decoding: mutate(Array(text.utf8), alphabet: Array(alphabet.utf8)), as: UTF8.self)
    }

    // MARK: JSON

    /// Text on which readers fail.
    public mutating func text() -> String {
        let pieces = [
            "", "a", "0", "-1", "9223372036854775807", "9223372036854775808", "18446744073709551616", "\"", "\\", "\n",
            "\u{0}", "\u{1F}", "é", "👍🏽", "\u{FFFD}", "\u{FFFF}", "\u{10FFFF}", "\u{202E}", "<@1>", "<@&2>", "@everyone",
            "true", "null", "1e9", ":", "a:b:1", "data:image/png;base64,", "2026-01-31T12:00:00+00:00", " ", "%00",
        ]
        var text = ""
        for _ in 0..<below(5) { text += pick(pieces) }
        if oneIn(100) { text += String(repeating: pick(["x", "é", "👍"]), count: below(3000)) }
        return text
    }

    /// A value of any shape.
    public mutating func json(depth: Int = 0) -> JSON {
        switch below(depth > 3 ? 7 : 9) {
        case 0: return .null
        case 1: return .bool(oneIn(2))
        case 2: return .number(.integer(pick([.min, .max, 0, -1, 1, 2, 100, 9_007_199_254_740_993])))
        case 3: return .number(.unsigned(.max))
        case 4: return .number(.double(pick([0.5, -1e300, 1e-300, 1e19])))
        case 5, 6: return .string(text())
        case 7: return .array((0..<below(6)).map { _ in json(depth: depth + 1) })
        default:
            return .object(
                JSONObject((0..<below(5)).map { _ in .init(key: text(), value: json(depth: depth + 1)) }))
        }
    }

    /// A document with up to three of its values replaced, removed, doubled or wrapped, at any depth.
    public mutating func mutate(_ document: JSON) -> JSON {
        var document = document
        for _ in 0..<(1 + below(3)) { document = mutateOnce(document) }
        return document
    }

    private mutating func mutateOnce(_ value: JSON) -> JSON {
        switch value {
        case .object(let object) where !object.members.isEmpty && !oneIn(8):
            var members = object.members
            let place = below(members.count)
            switch below(10) {
            case 0: members.remove(at: place)
            case 1: members.append(.init(key: text(), value: json()))
            case 2: members[place] = .init(key: members[place].key, value: json())
            case 3: members[place] = .init(key: members[place].key, value: members[below(members.count)].value)
            default: members[place] = .init(key: members[place].key, value: mutateOnce(members[place].value))
            }
            return .object(JSONObject(members))
        case .array(let elements) where !elements.isEmpty && !oneIn(8):
            var elements = elements
            let place = below(elements.count)
            switch below(8) {
            case 0: elements.remove(at: place)
            case 1: elements.append(elements[place])
            case 2: elements = Array(repeating: elements[place], count: below(300))
            default: elements[place] = mutateOnce(elements[place])
            }
            return .array(elements)
        case .string(let text) where oneIn(2):
            return .string(mutate(text, alphabet: "0123456789abcdefghijk:.,-_<@&>%\\\"\u{0}"))
        default:
            return oneIn(6) ? .array([value]) : json()
        }
    }
}
