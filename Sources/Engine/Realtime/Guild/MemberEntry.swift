import FluxCore

/// A member as the guild holds it in memory.
struct MemberEntry: Sendable {
    var member: Member { didSet { forgetBodies() } }
    var user: User { didSet { forgetBodies() } }
    var access: AccessKey
    /// The member object without its user, encoded when first needed.
    private var plain: [UInt8]?
    /// The member object with its user, encoded when first needed.
    private var full: [UInt8]?

    init(member: Member, user: User, access: AccessKey) {
        self.member = member
        self.user = user
        self.access = access
    }

    /// The member object without its user.
    mutating func plainBody() -> [UInt8] {
        if let plain { return plain }
        var writer = JSONWriter()
        member.write(to: &writer, user: nil)
        plain = writer.bytes
        return writer.bytes
    }

    /// The member object with its user.
    mutating func fullBody() -> [UInt8] {
        if let full { return full }
        var writer = JSONWriter()
        member.write(to: &writer, user: user)
        full = writer.bytes
        return writer.bytes
    }

    private mutating func forgetBodies() {
        plain = nil
        full = nil
    }
}
