import Distributed
import FluxCluster
import FluxCore

extension UserActor {
    /// Carries out a command of the user themselves.
    /// - Throws: `APIError` in the contract's words.
    distributed func perform(_ command: UserCommand) async throws -> CommandReply {
        throw APIError.notFound
    }
}
