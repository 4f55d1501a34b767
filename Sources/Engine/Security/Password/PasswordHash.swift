/// A stored password hash in the PHC string format, `$argon2id$v=19$m=19456,t=2,p=1$salt$hash`.
///
/// Parsing is total and bounded: what it accepts can be computed without exhausting memory or time.
struct PasswordHash: Equatable, Sendable {
    var parameters: PasswordHasher.Parameters
    var salt: [UInt8]
    var hash: [UInt8]

    private static let prefix = "argon2id"
    private static let version = "v=19"

    init(parameters: PasswordHasher.Parameters, salt: [UInt8], hash: [UInt8]) {
        self.parameters = parameters
        self.salt = salt
        self.hash = hash
    }

    /// The hash that `text` spells; nil for another algorithm, version or spelling, or for parameters out of bounds
    /// (memory 8 KiB to 1 GiB, 1 to 64 passes, 1 to 16 lanes, salt 8 to 64 bytes, hash 16 to 64 bytes).
    init?(parsing text: String) {
        let fields = text.split(separator: "$", omittingEmptySubsequences: false)
        guard fields.count == 6, fields[0].isEmpty, fields[1] == Self.prefix, fields[2] == Self.version,
            let parameters = Self.parameters(fields[3]),
            let salt = Self.bytes(fields[4]), (8...64).contains(salt.count),
            let hash = Self.bytes(fields[5]), (16...64).contains(hash.count)
        else { return nil }
        self.init(parameters: parameters, salt: salt, hash: hash)
    }

    /// The PHC string.
    var text: String {
        let costs = "m=\(parameters.memoryKibibytes),t=\(parameters.passes),p=\(parameters.lanes)"
        return "$\(Self.prefix)$\(Self.version)$\(costs)$\(Self.text(salt))$\(Self.text(hash))"
    }

    private static func parameters(_ text: Substring) -> PasswordHasher.Parameters? {
        let fields = text.split(separator: ",", omittingEmptySubsequences: false)
        guard fields.count == 3,
            let memory = number(fields[0], after: "m="), (8...1_048_576).contains(memory),
            let passes = number(fields[1], after: "t="), (1...64).contains(passes),
            let lanes = number(fields[2], after: "p="), (1...16).contains(lanes), memory >= 8 * lanes
        else { return nil }
        return PasswordHasher.Parameters(memoryKibibytes: memory, passes: passes, lanes: lanes)
    }

    private static func number(_ text: Substring, after prefix: String) -> UInt32? {
        guard text.hasPrefix(prefix) else { return nil }
        let digits = text.dropFirst(prefix.count)
        guard digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { return nil }
        return UInt32(digits)
    }

    // PHC strings use the standard alphabet, where 62 and 63 are "+" and "/".
    private static func bytes(_ text: Substring) -> [UInt8]? {
        guard !text.utf8.contains(UInt8(ascii: "-")), !text.utf8.contains(UInt8(ascii: "_")) else { return nil }
        let urlSafe = text.utf8.map { character in
            switch character {
            case UInt8(ascii: "+"): UInt8(ascii: "-")
            case UInt8(ascii: "/"): UInt8(ascii: "_")
            default: character
            }
        }
        return Base64URL.decode(utf8: urlSafe)
    }

    private static func text(_ bytes: [UInt8]) -> String {
        let standard = Base64URL.encode(bytes).utf8.map { character in
            switch character {
            case UInt8(ascii: "-"): UInt8(ascii: "+")
            case UInt8(ascii: "_"): UInt8(ascii: "/")
            default: character
            }
        }
        return String(decoding: standard, as: UTF8.self)
    }
}
