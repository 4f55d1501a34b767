import FluxCore

/// Why a call to an actor got no reply.
public enum CallError: Error, Sendable {
    /// The deadline passed. The call may have run, may be running, or may not run at all.
    case timedOut
    /// Nothing ran, because the node that was asked does not own the actor's slot; who does, as far as it knows. An actor that
    /// has lost its slot may answer so what it has not begun: then the call is sent on. A caller sees it of a call for which no
    /// owner was found in time.
    case notOwner(node: NodeID?, epoch: Epoch)
    /// The actor lost its slot while the call was under way: what it did may have been stored, or not. Made again for the new
    /// owner if that does no harm.
    case slotLost
    /// The owner cannot be reached, or the link broke before the reply came: the call may have run.
    case unreachable
    /// A queue on the way is full; nothing ran.
    case overloaded
    /// The actor, or its activation, refused with an error of its own.
    case refused(any WireFailure)
    /// An error without a wire form; only its type's name crosses.
    case failed(String)
    /// The owner knows no such kind, call or method: it runs another version, or nobody registered it.
    case unknownTarget
    /// The actor is not there (any more), and neither its kind nor the call is one that makes it.
    case noSuchActor
    /// Arguments or reply could not be read, or are larger than a frame may be.
    case malformed(WireError)
    /// The actor dropped the call without an answer.
    case unanswered

    /// The error as a caller of a hot call sees it: the application's own errors and this type as they are, anything else
    /// by the name of its type.
    init(carrying error: any Error) {
        switch error {
        case let error as CallError: self = error
        case let error as any WireFailure: self = .refused(error)
        case let error as WireError: self = .malformed(error)
        default: self = .failed(String(describing: type(of: error)))
        }
    }

    /// Whether nothing ran.
    var isHarmless: Bool {
        switch self {
        case .notOwner, .overloaded, .noSuchActor, .unknownTarget: true
        default: false
        }
    }

    /// The error as a caller of a distributed func sees it: the application's own error itself.
    var thrown: any Error {
        if case .refused(let failure) = self { failure } else { self }
    }
}
