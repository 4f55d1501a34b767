import FluxCore
import FluxStore

/// A channel as `ChannelActor` shows it to somebody who knows nothing of it.
struct NewestPage {
    static let limit = 25

    /// Where the channel's log stands.
    let head: (sequence: SequenceNumber, epoch: Epoch)
    /// The entry after which everything is in the page.
    let base: (sequence: SequenceNumber, epoch: Epoch)
    /// For each message the decision that its text comes from.
    let versions: [Int]
    /// The reactions of these messages, each with the decision that it comes from.
    let reactions: [(key: ReactionFold.Key, decision: Int)]
}

extension ChannelOwner {
    /// The newest messages with their reactions; nil if they cannot be had now.
    func newest(for userID: UserID, _ respond: @escaping (NewestPage?) -> Void) {
        read(for: userID) {
            $0.newest(of: self.id)
        } _: {
            respond($0)
        }
    }
}
