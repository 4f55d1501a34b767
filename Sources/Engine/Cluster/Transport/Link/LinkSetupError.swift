/// Why a transport cannot be set up, or a node not be dialled.
public enum LinkSetupError: Error, CustomStringConvertible {
    /// Links without TLS are allowed between processes of one machine only.
    case notLoopback
    /// No actor system was attached.
    case notAttached

    /// What to do about it.
    public var description: String {
        switch self {
        case .notLoopback: "links without TLS are for loopback addresses only"
        case .notAttached: "the transport is not attached to an actor system"
        }
    }
}
