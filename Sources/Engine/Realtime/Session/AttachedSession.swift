import FluxCore

/// One connection's hold on a session. When another connection takes the session up, this one's calls do nothing more.
final class AttachedSession: SessionHandle {
    private let session: Session
    private weak var transport: (any SessionTransport)?

    init(_ session: Session, transport: any SessionTransport) {
        self.session = session
        self.transport = transport
    }

    var identifier: String { session.identifier }

    /// The session, if this connection still holds it.
    private var held: Session? {
        guard let transport, session.transport === transport else { return nil }
        return session
    }

    func heartbeat(acknowledged: UInt64?) {
        if let acknowledged { held?.acknowledge(acknowledged) }
    }

    func updatePresence(_ body: JSON) -> Bool {
        guard let presence = SessionPresence(json: body, now: .now()) else { return false }
        if let session = held { session.loop.users.presenceChanged(presence, of: session) }
        return true
    }

    func updateVoiceState(_ body: JSON) -> Bool {
        // The state is kept from the voice issue on; until then a well-formed request is accepted and has no effect.
        guard let fields = body.objectValue, fields["channel_id"] != nil else { return false }
        return true
    }

    func requestMembers(_ body: JSON) -> Bool {
        guard let request = MemberRequest(json: body) else { return false }
        if let session = held { session.loop.requestMembers(request, for: session) }
        return true
    }

    func send(_ body: JSON) -> Bool {
        guard let fields = body.objectValue, let channel = fields["channel_id"]?.snowflakeValue,
            let nonce = fields["nonce"]?.stringValue, (1...25).contains(nonce.unicodeScalars.count)
        else { return false }
        if let session = held { session.loop.sends.send(body, to: channel, nonce: nonce, from: session) }
        return true
    }

    func detach(closeCode: UInt16?) {
        if let session = held { session.loop.sessions.detach(session, closeCode: closeCode) }
    }
}
