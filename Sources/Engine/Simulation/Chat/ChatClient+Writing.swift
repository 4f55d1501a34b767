import FluxCluster
import FluxCore
import FluxRealtime

/// What a client asks for.
extension ChatClient {
    /// A send that was not answered yet.
    struct Send {
        /// Which of the client's sends.
        let number: Int
        let nonce: String
        let channel: ChannelID
    }

    /// Sends a new message.
    func send(in channel: ChannelID) {
        nextNonce += 1
        let send = Send(number: nextNonce, nonce: "\(number).\(nextNonce)", channel: channel)
        open[send.number] = send
        nonces.append(send)
        if nonces.count > 64 { nonces.removeFirst() }
        transmit(send)
    }

    /// Sends a new message in one of its conversations.
    func sendDirectly() {
        if !directs.isEmpty { send(in: world.pick(directs)) }
    }

    /// Sends something again that it has sent already.
    func repeatSend() {
        guard !nonces.isEmpty else { return }
        transmit(world.pick(nonces))
    }

    func sendAgain() {
        for send in open.values.sorted(by: { $0.nonce < $1.nonce }) { transmit(send) }
    }

    private func transmit(_ send: Send) {
        guard isReady else { return }
        let key = NonceTable.Key(authorID: userID, nonce: send.nonce)
        ask(of: send.channel) { owner, respond in
            owner.send(key, respond)
        } _: { client, answer in
            client.answered(send, answer ?? .notCommitted)
        }
    }

    private func answered(_ send: Send, _ answer: ChannelOwner.Answer) {
        switch answer {
        case .done(let message, let sequence):
            if let earlier = acknowledged[send.number], earlier != message {
                violate("I4: nonce \(send.nonce) was answered with \(earlier) and with \(message)")
            }
            if !world.messages.holds(sequence, of: send.channel, message: message) {
                violate("I3: \(message) is acknowledged and not committed as \(sequence) of channel \(send.channel)")
            }
            checkMayWrite(sequence, of: send.channel)
            if acknowledged.updateValue(message, forKey: send.number) == nil {
                own.append((send.channel, message))
                if own.count > 32 { own.removeFirst() }
            }
            open[send.number] = nil
        case .refused:
            open[send.number] = nil
        case .notCommitted:
            guard open[send.number] != nil else { return }
            let connection = connection
            world.after(world.milliseconds(200...1_000)) { [self] in
                if self.connection == connection, open[send.number] != nil { transmit(send) }
            }
        }
    }

    /// Changes or deletes one of its messages.
    func change(_ kind: Ledger.Decision.Kind) {
        guard !own.isEmpty, isReady else { return }
        let index = Int.random(in: own.indices, using: &world.random)
        let target = own[index]
        if kind == .delete { own.remove(at: index) }
        let userID = userID
        ask(of: target.channel) { owner, respond in
            owner.change(target.message, kind, by: userID, respond)
        } _: { client, answer in
            guard case .done(let message, let sequence)? = answer else { return }
            if !client.world.messages.holds(sequence, of: target.channel, message: message) {
                client.violate("I3: a change of \(message) is acknowledged and not committed")
            }
            client.checkMayWrite(sequence, of: target.channel)
        }
    }

    /// Tells its node what it has.
    func heartbeat() {
        let sequence = lastSequence
        say { $0.acknowledge(sequence) }
    }

    /// Leaves the session for a new one.
    func beginAnew() {
        guard isReady else { return }
        invalidated()
    }
}
