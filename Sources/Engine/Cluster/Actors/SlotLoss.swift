/// What an actor throws, or answers, when it learns that its slot is another node's: the system sends the call on.
public enum SlotLoss: Error {
    /// The actor has done nothing of what it was asked for: the call goes to the new owner.
    case notBegun
    /// What it has done may have been stored, or not: the call is made again if that does no harm.
    case underWay
}

extension CallError {
    /// What a call comes back with when its actor threw `error`. What an actor passes on of calls that it made itself says nothing
    /// of where the actor lives.
    static func report(of error: any Error) -> any Error {
        switch error {
        case SlotLoss.notBegun: CallError.notOwner(node: nil, epoch: 0)
        case SlotLoss.underWay: CallError.slotLost
        case CallError.notOwner, CallError.slotLost: CallError.unreachable
        default: error
        }
    }
}
