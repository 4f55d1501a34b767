/// Why a run could not be made, in a sentence. Not what a run found out about the server: those are ``Violation``s.
struct RunFailure: Error, Sendable, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// What the process tells its caller at its end.
enum BenchStatus {
    /// The run could not be made.
    static let failed: Int32 = 1
    /// The run was made, and the server broke a promise.
    static let violated: Int32 = 2
}
