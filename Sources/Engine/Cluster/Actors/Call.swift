/// A call of the message path: a number instead of a name, a callback instead of a task.
///
/// Declared once, as a constant; a handler is registered for it on each node, and `ClusterActorSystem.invoke` makes it.
///
/// ```swift
/// static let send = Call<ChannelActor, SendRequest, SendReply>(number: 1)
/// system.register(send) { channel, request, respond in channel.send(request, respond) }
/// ```
public struct Call<Target: KeyedActor, Arguments: WireCodable, Reply: WireCodable>: Sendable {
    /// Names the call between nodes. Never changes its meaning, unique in the cluster.
    public let number: UInt16
    /// Whether running it twice does no harm, so that it may be sent again after a lost link.
    public let isIdempotent: Bool
    /// Whether an actor that is not active is made for it. Where it is not, the call fails with `CallError.noSuchActor`:
    /// for news that mean nothing to an actor which nobody uses.
    public let wakes: Bool

    /// The version since which it exists. On nodes that speak an older one it fails with `CallError.unknownTarget`.
    public let since: WireVersion

    /// A call with the given number.
    public init(number: UInt16, isIdempotent: Bool = false, wakes: Bool = true, since: WireVersion = .oldest) {
        self.since = since
        self.number = number
        self.isIdempotent = isIdempotent
        self.wakes = wakes
    }

    func isRepeatable(with arguments: Arguments) -> Bool {
        isIdempotent || (arguments as? any Repeatable)?.isRepeatable == true
    }
}
