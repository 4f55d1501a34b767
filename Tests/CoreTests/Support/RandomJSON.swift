import FluxCore
import FluxFuzzing

/// Makes values of every shape, with the strings and numbers on which readers fail.
struct RandomJSON {
    var generator: SeededGenerator

    mutating func value(depth: Int = 0) -> JSON {
        switch Int.random(in: 0..<(depth > 4 ? 6 : 8), using: &generator) {
        case 0: return .null
        case 1: return .bool(Bool.random(using: &generator))
        case 2: return .number(.integer(integer()))
        case 3: return .number(.unsigned(UInt64.random(in: (1 << 63)...UInt64.max, using: &generator)))
        case 4: return .number(.double(double()))
        case 5: return .string(string())
        case 6: return .array((0..<Int.random(in: 0..<5, using: &generator)).map { _ in value(depth: depth + 1) })
        default:
            let members = (0..<Int.random(in: 0..<12, using: &generator)).map { _ in
                JSONObject.Member(key: string(), value: value(depth: depth + 1))
            }
            return .object(JSONObject(members))
        }
    }

    private mutating func integer() -> Int64 {
        [Int64.min, .max, 0, -1, 9_007_199_254_740_993, Int64.random(in: .min ... .max, using: &generator)]
            .randomElement(using: &generator) ?? 0
    }

    private mutating func double() -> Double {
        let value = Double(bitPattern: generator.next())
        guard value.isFinite else { return 0.5 }
        // A whole double below 10^16 would be written so that it is read as a double again; all others too.
        return value
    }

    private mutating func string() -> String {
        let pieces = [
            "", "a", "\"", "\\", "\n", "\u{0}", "\u{1F}", "é", "👍🏽", "\u{FFFF}", "\u{10FFFF}", "</script>", "\u{2028}",
        ]
        return (0..<Int.random(in: 0..<6, using: &generator))
            .map { _ in pieces.randomElement(using: &generator) ?? "" }.joined()
    }
}
