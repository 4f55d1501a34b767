import FluxCore

extension ChatNode {
    /// Asks the owner of a channel, wherever that is; nil when it could not be asked.
    func askOwner<Reply>(
        of channel: ChannelID, _ perform: @escaping (ChannelOwner, @escaping (Reply?) -> Void) -> Void,
        _ completion: @escaping (Reply?) -> Void
    ) {
        guard let place = world.places[channel] else { return completion(nil) }
        call(place.slot, deadline: .seconds(10)) { (node: ChatNode, respond: @escaping (Reply?) -> Void) in
            node.channel(channel, in: place) { owner in
                if let owner { perform(owner, respond) } else { respond(nil) }
            }
        } _: {
            completion($0)
        }
    }

    /// The channel on this node, brought into memory first where it is not; nil when it cannot be had now.
    private func channel(_ id: ChannelID, in place: ChatPlace, _ body: @escaping (ChannelOwner?) -> Void) {
        switch place {
        case .guild(let guild):
            owner(of: guild) { owner in
                if let owner { owner.channel(id, body) } else { body(nil) }
            }
        case .direct(let direct): conversation(direct) { body($0?.channel) }
        }
    }
}
