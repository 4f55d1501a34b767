import FluxCluster
import FluxCore

/// Carries op 100 from the sessions of one loop to the channels, and the answers back in order (protocol 10.2).
/// Confined to its loop.
final class SendRouter {
    private unowned let loop: EngineLoop

    init(loop: EngineLoop) { self.loop = loop }

    /// Sends a message; the answer leaves as op 101.
    func send(_ body: JSON, to channel: ChannelID, nonce: String, from session: Session) {
        guard let ticket = session.acknowledgements.begin(channel) else {
            let full = APIError.rateLimited(retryAfter: 1)
            session.transport?.acknowledge(SendAcknowledgement.refused(full, nonce: nonce, channelID: channel))
            return
        }
        if session.unroutedSends[channel] != nil {
            session.unroutedSends[channel]?.append((ticket, body))
        } else if let location = loop.services.channels.known(channel) {
            forward(
                body, to: location.address(of: channel), channel: channel, ticket: ticket, nonce: nonce, from: session)
        } else {
            session.unroutedSends[channel] = [(ticket, body)]
            locate(channel, for: session.key)
        }
    }

    private func forward(
        _ body: JSON, to address: ActorAddress, channel: ChannelID, ticket: UInt64, nonce: String, from session: Session
    ) {
        let (key, services, home) = (session.key, loop.services, loop.index)
        let request = SendRequest(
            caller: Caller(userID: session.userID, isBot: session.identity.isBot), body: body)
        services.system.invoke(ChannelCalls.send, on: address, request, replyOn: home, deadline: .seconds(60)) {
            result in
            let answer =
                switch result {
                case .success(let sent): SendAcknowledgement.accepted(sent, nonce: nonce, channelID: channel)
                case .failure(let error):
                    SendAcknowledgement.refused(APIError(error), nonce: nonce, channelID: channel)
                }
            guard let loop = EngineLoop.current else { return }
            loop.sends.answered(answer, ticket: ticket, channel: channel, session: key)
        }
    }

    /// Looks for the channel of a send that a session has brought from another node.
    func route(_ send: SessionState.UnroutedSend, from session: Session) {
        let isFirst = session.unroutedSends[send.channelID] == nil
        session.unroutedSends[send.channelID, default: []].append((send.ticket, send.body))
        if isFirst { locate(send.channelID, for: session.key) }
    }

    /// An answer is here; the session may have moved to another loop or node, or ended, meanwhile.
    func answered(_ answer: [UInt8], ticket: UInt64, channel: ChannelID, session key: SessionKey) {
        guard let session = loop.sessions[key] else {
            if loop.services.sessions.loop(of: key) == nil, let gone = loop.services.sessions.departure(of: key) {
                let answer = SendAnswer(send: ticket, channelID: channel, body: answer)
                return loop.services.moves.forward(answer, of: key, ticket: gone.ticket, to: gone.node)
            }
            loop.services.reach(key, from: loop.index) { session in
                session.loop.sends.answered(answer, ticket: ticket, channel: channel, session: key)
            }
            return
        }
        for ready in session.acknowledgements.finish(ticket, of: channel, with: answer) {
            session.transport?.acknowledge(ready)
        }
        if let departure = session.departure, departure.isFrozen {
            // The node that takes the session was sent it without this answer.
            let answer = SendAnswer(send: ticket, channelID: channel, body: answer)
            loop.services.moves.forward(answer, of: key, ticket: departure.ticket, to: departure.node)
        }
    }

    private func locate(_ channel: ChannelID, for key: SessionKey) {
        let (services, home) = (loop.services, loop.index)
        Task {
            let found: Result<ChannelLocation, APIError>
            do { found = .success(try await services.channels.locate(channel)) } catch {
                found = .failure(error as? APIError ?? .notCommitted)
            }
            services.reach(key, from: home) { session in
                session.loop.sends.located(channel, found, session: key)
            }
        }
    }

    private func located(_ channel: ChannelID, _ found: Result<ChannelLocation, APIError>, session key: SessionKey) {
        guard let session = loop.sessions[key], let waiting = session.unroutedSends.removeValue(forKey: channel) else {
            return
        }
        for send in waiting {
            let nonce = send.body["nonce"]?.stringValue ?? ""
            switch found {
            case .success(let location):
                forward(
                    send.body, to: location.address(of: channel), channel: channel, ticket: send.ticket, nonce: nonce,
                    from: session)
            case .failure(let error):
                answered(
                    SendAcknowledgement.refused(error, nonce: nonce, channelID: channel), ticket: send.ticket,
                    channel: channel, session: key)
            }
        }
    }
}
