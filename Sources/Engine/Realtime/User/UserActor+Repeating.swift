import Distributed
import FluxCluster
import FluxCore
import FluxStore

/// A change of the user's that is asked for again, because nobody could say what had become of it, is made once (I4).
extension UserActor {
    /// Commits control changes; returns what has become of them.
    func outcome(of statements: [Statement], _ record: PerformedCommand?) async -> LaneOutcome.Result {
        let records = record.map { [Statement.insertPerformedCommand($0)] } ?? []
        let result = await loop.commit(.statements(statements + records), slot: slot, epoch: epoch)
        if result == .committed, let record {
            performed.record(record.idempotencyKey, at: services.clock.milliseconds)
        }
        return result
    }

    /// What is stored with the changes of a command, so that it is not carried out again (I4).
    func record(of command: UserCommand, answered reply: CommandReply) -> PerformedCommand? {
        command.operation.isRecorded ? PerformedCommand(command.idempotencyKey, of: userID, answered: reply) : nil
    }

    /// What a change was answered that an earlier try has made: here, or at an owner that could not say so any more.
    func replyToEarlierTry(of command: UserCommand) async throws(APIError) -> CommandReply? {
        guard command.operation.isRecorded,
            let reply = try await services.reply(to: command.idempotencyKey, of: userID, knowing: performed)
        else { return nil }
        switch command.operation {
        case .requestFriend(let id), .setRelationship(let id), .removeRelationship(let id):
            // Who carried it out may have had no time to tell them.
            let services = services
            Task.detached { await services.hint([.user(id)]) }
            await tellConversation(with: id)
        default: break
        }
        return reply
    }
}
