import FluxStore

/// What the process tells its caller at its end. The numbers follow `sysexits.h`, so that scripts and service managers
/// can tell a mistake in a file (do not restart) from a database that is away (do).
public enum ExitStatus: Int32, Sendable, CaseIterable {
    /// Done; for `node run`: stopped after a full drain.
    case success = 0
    /// Failed in a way that has no number of its own.
    case failure = 1
    /// The command line was not understood.
    case usage = 64
    /// Something that is needed does not answer: Postgres, the admin port; or an address is taken.
    case unavailable = 69
    /// A file or directory could not be written.
    case cannotCreate = 73
    /// The configuration was refused, or Postgres's settings would lose acknowledged data.
    case configuration = 78
    /// A second signal ended the process before it was drained.
    case interrupted = 130
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
