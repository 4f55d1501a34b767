import FluxCluster
import FluxCore
import FluxRealtime
import FluxStore

/// A conversation at its owner: what `DirectConversation` and `ChannelActor.missed` do around `ChannelState` and
/// `DirectCorrection`.
final class DirectOwner: ChannelHome {
    /// How long somebody whose owner could not be reached is left alone.
    private static let patience = Duration.seconds(1)

    let direct: ChatDirect
    let node: ChatNode
    let epoch: Epoch
    private(set) var channel: ChannelOwner?
    private var head: DirectHead
    /// Who may have missed an event and is about to be told where the log stands.
    private var behind: Set<UserID> = []
    private var isActive = true
    /// When the last entry of the log was told.
    private var toldAt: UInt64?

    init(_ direct: ChatDirect, node: ChatNode, epoch: Epoch, _ stored: MessageDatabase.Activation) {
        self.direct = direct
        self.node = node
        self.epoch = epoch
        head = DirectHead(lastMessageID: stored.lastMessageID, lastSequence: stored.lastSequence, epoch: stored.epoch)
        channel = ChannelOwner(direct.id, home: self, stored)
    }

    var guildID: GuildID? { nil }
    var slot: Slot { direct.slot }
    var hasUnsettled: Bool { channel?.hasUnsettled ?? false }
    /// Whether everybody has heard of everything, as far as is known.
    var isAtRest: Bool { behind.isEmpty }

    /// The slot is lost or given away.
    func deactivate() {
        isActive = false
        channel?.deactivate()
        forget()
    }

    /// Lets go of the channel, which refers to it.
    func forget() { channel = nil }

    // MARK: Events

    func permits(_ needed: Permissions, to userID: UserID, in channel: ChannelID) -> Bool {
        direct.recipients.contains(userID)
    }

    func publish(
        _ kind: EventKind, body: [UInt8], _ head: ChannelHead, _ message: MessageID, lastMessageID: MessageID?
    ) {
        if kind == .messageCreate { self.head.lastMessageID = message }
        (self.head.lastSequence, self.head.epoch) = (head.sequence, head.epoch)
        toldAt = node.now
        let event = DirectEvent(
            channelID: direct.id, kind: kind,
            body: DirectBody.make(body, direct.id, sequence: head.sequence, epoch: head.epoch), head: self.head,
            isLogged: true, messageID: message)
        for recipient in direct.recipients {
            node.tell(recipient) {
                $0.receive(event)
            } _: { [self] isDone in
                if !isDone { remind(recipient) }
            }
        }
    }

    /// These slots have other owners.
    func slotsMoved(_ slots: Set<Slot>) {
        guard let toldAt, node.now < toldAt + ConversationLogs.keepMilliseconds else { return }
        for recipient in direct.recipients where slots.contains(Slot(of: recipient)) { remind(recipient) }
    }

    /// Tells a recipient's owner where the log stands, until it has heard.
    private func remind(_ recipient: UserID) {
        guard isActive, behind.insert(recipient).inserted else { return }
        node.world.after(Self.patience, on: node) { [self] in
            guard isActive else { return }
            behind.remove(recipient)
            let head = ChannelHead(channelID: direct.id, sequence: head.lastSequence, epoch: head.epoch)
            node.tell(recipient) {
                $0.heard(head)
            } _: { [self] isDone in
                if !isDone { remind(recipient) }
            }
        }
    }

    /// A recipient's owner asks. Answered when everything that is live now is final.
    func missed(_ question: DirectQuestion, _ respond: @escaping (DirectCorrection?) -> Void) {
        guard let channel else { return respond(nil) }
        let head = question.head
        channel.events(after: head.sequence, epoch: head.epoch, limit: ChannelEvents.pageLimit) { [self] page in
            guard isActive, let page else { return respond(nil) }
            let bodies = page.told.map { entry in
                (
                    entry.event, entry.kind,
                    DirectBody.make(
                        entry.body, direct.id, sequence: entry.event.seq, epoch: entry.event.epoch)
                )
            }
            respond(DirectCorrection(of: direct.id, page: page, bodies: bodies, epoch: epoch, opening: []))
        }
    }
}
