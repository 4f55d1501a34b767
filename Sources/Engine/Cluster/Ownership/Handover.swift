import FluxCore

/// One slot on its planned way to another node (design 5), as the owner sees it.
///
///     offered → copying → flushing → sending the difference → releasing → gone
///
/// The slot is paused from `flushing` on. Until `releasing` the hand-over can be called off, and is when its time is over;
/// from then on only Postgres can tell whose the slot is.
struct Handover: Sendable {
    enum Phase: Sendable, Equatable {
        /// The successor was asked.
        case offered
        /// The state is being copied while the slot works.
        case copying
        /// The slot is paused; what it has decided is being committed.
        case flushing
        /// What has changed since the copy is being sent.
        case sendingDifference
        /// Postgres is being told.
        case releasing
        /// Postgres did not answer: the lease has to be read.
        case uncertain

        /// Whether the slot's callers wait.
        var isPaused: Bool { self != .offered && self != .copying }
        /// Whether the owner can go on as if nothing had been.
        var canBeCalledOff: Bool { self != .releasing && self != .uncertain }
    }

    let slot: Slot
    let epoch: Epoch
    let successor: NodeIdentity
    var phase: Phase = .offered
    /// When it is called off, as long as that is possible.
    var deadline: Duration
}
