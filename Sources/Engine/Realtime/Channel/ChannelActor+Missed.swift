import FluxCluster
import FluxCore
import FluxStore

/// What people of a conversation have missed of it, or were shown in vain (I5, I6).
extension ChannelActor {
    /// A recipient's actor asks. Answered when everything that is live now is final.
    func missed(_ question: DirectQuestion, _ respond: Responder<DirectCorrection>) {
        Task {
            do { respond(try await self.correction(for: question)) } catch { respond.fail(error) }
        }
    }

    private func correction(for question: DirectQuestion) async throws -> DirectCorrection {
        guard let direct = conversation as? DirectConversation, direct.participant(question.recipientID) != nil else {
            throw APIError.unknownChannel
        }
        await settle()
        guard !isOver else { throw SlotLoss.notBegun }
        let head = question.head
        let page = try await page(after: head.sequence, epoch: head.epoch, limit: ChannelEvents.pageLimit)
        let bodies = try await services.renderer.renderEach(page, guildID: nil)
        let isComplete = page.events.count < ChannelEvents.pageLimit
        var end = DirectHead(
            lastMessageID: page.head.lastMessageID, lastSequence: page.head.seq, epoch: page.head.epoch)
        if !isComplete, let last = page.events.last { (end.lastSequence, end.epoch) = (last.seq, last.epoch) }
        let missed = bodies.map { entry in
            DirectEvent(
                channelID: channelID, kind: entry.kind, body: entry.body,
                opening: entry.kind == .messageCreate ? direct.announcement(for: question.recipientID) : [],
                head: DirectHead(
                    lastMessageID: end.lastMessageID, lastSequence: entry.event.seq, epoch: entry.event.epoch),
                isLogged: true)
        }
        return DirectCorrection(
            channelID: channelID, standsUpTo: page.rolledBackTo, missed: missed, head: end, epoch: state.epoch,
            isComplete: isComplete, isTruncated: page.isTruncated)
    }
}
