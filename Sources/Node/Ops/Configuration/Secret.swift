/// A value that must not be shown: it prints as `***` wherever it is interpolated, described or dumped.
public struct Secret: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The value itself. Named so that each use stands out in review.
    public let exposed: String

    /// Wraps a value.
    public init(_ value: String) {
        exposed = value
    }

    /// Always `***`.
    public var description: String { "***" }
    /// Always `***`.
    public var debugDescription: String { "***" }
    /// Nothing inside.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}
