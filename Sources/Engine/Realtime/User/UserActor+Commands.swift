import Distributed
import FluxCluster
import FluxCore
import FluxStore

extension UserActor {
    /// Carries out a command of the user themselves.
    /// - Throws: `APIError` in the contract's words.
    distributed func perform(_ command: UserCommand) async throws -> CommandReply {
        switch command.operation {
        case .get: .ok { user.writeOwn(to: &$0) }
        case .listDirectMessages: try await listDirectMessages()
        case .openDirectMessage: try await openDirectMessage(command)
        case .closeDirectMessage(let id): try await closeDirectMessage(id)
        default: throw APIError.notFound
        }
    }
}
