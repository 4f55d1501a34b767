/// Whom a text mentions: `<@id>`, `<@!id>`, `<@&id>`, `@everyone` and `@here`, outside of code.
public struct ScannedMentions: Sendable, Equatable {
    /// Each once, in the order in which they stand.
    public var users: [UserID] = []
    /// Each once, in the order in which they stand.
    public var roles: [RoleID] = []
    /// Whether `@everyone` or `@here` stands in it.
    public var everyone = false

    /// The mentions of nobody.
    public init() {}

    /// Reads the mentions of a text, in time linear in its length (code spans that are never closed included).
    public init(scanning content: String) {
        // Most messages mention nobody: one search for the byte that every mention has.
        guard content.utf8.contains(UInt8(ascii: "@")) else { return }
        scan(Array(content.utf8))
    }

    private mutating func scan(_ text: [UInt8]) {
        var seenUsers: Set<UserID> = []
        var seenRoles: Set<RoleID> = []
        let spans = CodeSpans(text)
        var index = 0
        while index < text.count {
            switch text[index] {
            case UInt8(ascii: "`"):
                index = spans.end(ofRunAt: index)
            case UInt8(ascii: "<"):
                guard let (mention, next) = Self.bracketed(text, at: index) else {
                    index += 1
                    continue
                }
                switch mention {
                case .user(let id): if seenUsers.insert(id).inserted { users.append(id) }
                case .role(let id): if seenRoles.insert(id).inserted { roles.append(id) }
                }
                index = next
            case UInt8(ascii: "@"):
                let rest = text[(index + 1)...]
                if rest.starts(with: "everyone".utf8) || rest.starts(with: "here".utf8) { everyone = true }
                index += 1
            default:
                index += 1
            }
        }
    }

    private enum Bracketed {
        case user(UserID)
        case role(RoleID)
    }

    /// Reads `<@digits>`, `<@!digits>` or `<@&digits>` at `start`; `next` is the index behind it.
    private static func bracketed(_ text: [UInt8], at start: Int) -> (mention: Bracketed, next: Int)? {
        var index = start + 1
        guard index < text.count, text[index] == UInt8(ascii: "@") else { return nil }
        index += 1
        var isRole = false
        if index < text.count, text[index] == UInt8(ascii: "!") || text[index] == UInt8(ascii: "&") {
            isRole = text[index] == UInt8(ascii: "&")
            index += 1
        }
        let digits = index
        while index < text.count, index - digits < 20, text[index] >= 0x30, text[index] <= 0x39 { index += 1 }
        guard index < text.count, text[index] == UInt8(ascii: ">"), index > digits else { return nil }
        guard let id = Snowflake(String(decoding: text[digits..<index], as: UTF8.self)) else { return nil }
        return (isRole ? .role(id) : .user(id), index + 1)
    }
}

/// Where code begins and ends in a text: a run of backticks is closed by the next run of the same length.
private struct CodeSpans {
    private var ends: [Int: Int] = [:]
    private let text: [UInt8]

    init(_ text: [UInt8]) {
        self.text = text
        // From the back, so that the next run of each length is at hand: one pass, whatever the text.
        var nextOfLength: [Int: Int] = [:]
        var index = text.count
        while index > 0 {
            guard text[index - 1] == UInt8(ascii: "`") else {
                index -= 1
                continue
            }
            let stop = index
            while index > 0, text[index - 1] == UInt8(ascii: "`") { index -= 1 }
            let length = stop - index
            ends[index] = nextOfLength[length] ?? stop
            nextOfLength[length] = stop
        }
    }

    /// The index behind the code that the run of backticks at `index` opens, or behind the run if nothing closes it.
    func end(ofRunAt index: Int) -> Int {
        ends[index] ?? index + 1
    }
}
