import FluxCore

/// Who among the subscribers of a stream an event is for.
public enum Audience: Sendable, Equatable {
    /// Every subscriber.
    case everyone
    /// Those who may view the channel at this point of the stream (protocol 7.9).
    case viewers(of: ChannelID)
    /// The sessions of these users.
    case users([UserID])
    /// No client: the event only carries a control.
    case nobody
}
