import FluxStore

/// What the process tells its caller at its end. The numbers from 64 follow `sysexits.h`, so that scripts and service
/// managers can tell a mistake in a file (do not restart) from a database that is away (do); those from 10 are about
/// clusters and Flux's own.
public enum ExitStatus: Int32, Sendable, CaseIterable {
    /// Done; for `node run`: stopped after a full drain.
    case success = 0
    /// Failed in a way that has no number of its own.
    case failure = 1
    /// The cluster knows no such join token, or the text is none.
    case wrongToken = 10
    /// Another node used the join token.
    case usedToken = 11
    /// The join token is too old.
    case expiredToken = 12
    /// Node, token and database do not belong to one cluster.
    case wrongCluster = 13
    /// Another node of the cluster has the name.
    case nameTaken = 14
    /// This build and the cluster's speak no common wire version.
    case versionMismatch = 15
    /// More than half of the members would be needed, and do not answer.
    case noQuorum = 16
    /// No node answers: at the address to join at, or at the admin port.
    case noNode = 17
    /// The node was removed from its cluster.
    case removed = 18
    /// The command line was not understood.
    case usage = 64
    /// Something that is needed does not answer, Postgres above all; or an address is taken.
    case unavailable = 69
    /// A file or directory could not be written.
    case cannotCreate = 73
    /// The configuration was refused, or Postgres's settings would lose acknowledged data.
    case configuration = 78
    /// A second signal ended the process before it was drained.
    case interrupted = 130
}

extension ExitStatus {
    /// The same for the admin API's `code`.
    public var code: String {
        switch self {
        case .success: "success"
        case .failure: "failure"
        case .wrongToken: "wrong_token"
        case .usedToken: "used_token"
        case .expiredToken: "expired_token"
        case .wrongCluster: "wrong_cluster"
        case .nameTaken: "name_taken"
        case .versionMismatch: "version_mismatch"
        case .noQuorum: "no_quorum"
        case .noNode: "no_node"
        case .removed: "removed"
        case .usage: "usage"
        case .unavailable: "unavailable"
        case .cannotCreate: "cannot_create"
        case .configuration: "configuration"
        case .interrupted: "interrupted"
        }
    }

    /// What it means, in the words of `flux --help`.
    public var meaning: String {
        switch self {
        case .success: "done"
        case .failure: "failed otherwise"
        case .wrongToken: "no such join token"
        case .usedToken: "the join token was used by another node"
        case .expiredToken: "the join token has expired"
        case .wrongCluster: "node, token and database are not of one cluster"
        case .nameTaken: "another node has the name"
        case .versionMismatch: "this build and the cluster's speak no common version"
        case .noQuorum: "no quorum, more than half of the nodes would be needed"
        case .noNode: "no node answers"
        case .removed: "the node was removed from its cluster"
        case .usage: "wrong command line"
        case .unavailable: "something needed does not answer, or is taken (address, data directory)"
        case .cannotCreate: "a file cannot be written"
        case .configuration: "the configuration or Postgres's settings are refused"
        case .interrupted: "ended by a second signal"
        }
    }
}

/// A failure of a command: one sentence for people, a number for scripts.
public struct CommandFailure: Error, Sendable, CustomStringConvertible {
    /// The process's exit status.
    public let status: ExitStatus
    /// What went wrong and, where there is one, what to do.
    public let message: String

    /// A failure.
    public init(_ status: ExitStatus, _ message: String) {
        self.status = status
        self.message = message
    }

    /// The message.
    public var description: String { message }
}

extension CommandFailure {
    /// What a failure of Postgres means for the process.
    init(_ error: StoreError) {
        let status: ExitStatus =
            switch error {
            case .unsafeSettings, .schema, .invalid: .configuration
            case .unavailable, .timedOut, .overloaded, .cannotStart, .closed: .unavailable
            case .constraint, .refused, .fenced, .corrupt: .failure
            }
        self.init(status, error.description)
    }
}
