import FluxCore
import FluxStore

/// What applied changes have brought about.
package struct UserOutcome: Sendable, Equatable {
    /// For the user's own sessions, in this order.
    package var events: [UserEvent] = []
    /// Who has just become a friend: is shown the user's presence.
    var newFriends: [UserID] = []
    /// Whose blocking by the user, or of the user, has begun or ended: their DM has to know.
    var blockingChanged: [UserID] = []
    /// The status or custom status that the user chose for all sessions may be another one.
    var presenceChanged = false
}
