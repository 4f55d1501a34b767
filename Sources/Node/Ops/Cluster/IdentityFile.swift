import Logging

/// `identity.json` in a node's data directory, and the key of a join that has no answer yet.
struct IdentityFile: Sendable {
    private let identity: PrivateFile
    private let joiningKey: PrivateFile
    private let directory: DataDirectory
    private let logger: Logger

    init(in directory: DataDirectory, logger: Logger) {
        identity = PrivateFile(path: directory.file("identity.json"))
        joiningKey = PrivateFile(path: directory.file("joining-key.pem"))
        self.directory = directory
        self.logger = logger
    }

    /// What the node is; nil for a node that is new.
    func read() throws(CommandFailure) -> MemberIdentity? {
        guard let bytes = try identity.read(onExposed: { warn(identity) }) else { return nil }
        do throws(MemberIdentityError) {
            return try MemberIdentity(parsing: bytes)
        } catch {
            throw CommandFailure(
                .configuration,
                "\(identity.path): cannot be used: \(error); put it back from a backup, or move it away and join again")
        }
    }

    /// Keeps what the node is.
    func write(_ member: MemberIdentity) throws(CommandFailure) {
        try identity.write(member.encoded())
        joiningKey.remove()
    }

    /// Keeps what the node was in a cluster that is over for it, beside what it becomes.
    /// - Returns: where.
    @discardableResult
    func setAside(_ member: MemberIdentity) throws(CommandFailure) -> String {
        let aside = PrivateFile(path: directory.file("identity-\(member.cluster).json"))
        try aside.write(member.encoded())
        return aside.path
    }

    /// Takes back what was written by a node that did not become a member.
    func remove() {
        identity.remove()
    }

    /// The key of a join: the one of an earlier attempt, so that the cluster knows it for the same node, or a new one, which
    /// is on the disk before anybody hears of it.
    func joiningKey(otherwise makeKey: () throws -> [UInt8]) throws -> [UInt8] {
        if let key = try joiningKey.read(onExposed: { warn(joiningKey) }) { return key }
        let key = try makeKey()
        try joiningKey.write(key)
        return key
    }

    private func warn(_ file: PrivateFile) {
        logger.warning(
            "others could read a private key; its file is closed to them now", metadata: ["file": "\(file.path)"])
    }
}
