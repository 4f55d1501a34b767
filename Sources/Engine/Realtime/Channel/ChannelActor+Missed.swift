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
        return DirectCorrection(
            of: channelID, page: page, bodies: bodies, epoch: state.epoch,
            opening: direct.announcement(for: question.recipientID))
    }
}
