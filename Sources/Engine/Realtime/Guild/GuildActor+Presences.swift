import FluxCluster
import FluxCore

import struct NIOCore.TimeAmount

/// How the guild learns again who is there, when the owner before this one could not say.
extension GuildActor {
    /// How many members are asked at a time.
    private static var concurrentQuestions: Int { 64 }
    /// How long one of them is waited for.
    private static var questionDeadline: TimeAmount { .seconds(5) }

    /// Asks those whose sessions listen and of whom nothing is known.
    func learnPresences(of users: [UserID]) {
        let unknown = Set(users).filter { home.state?.presences[$0] == nil }
        guard !unknown.isEmpty else { return }
        Task { await self.ask(Array(unknown)) }
    }

    private func ask(_ users: [UserID]) async {
        let (system, question) = (services.system, GuildPresenceQuestion(guildID: home.guildID))
        for start in stride(from: 0, to: users.count, by: Self.concurrentQuestions) {
            await withTaskGroup(of: Presence?.self) { group in
                for userID in users[start..<min(start + Self.concurrentQuestions, users.count)] {
                    group.addTask {
                        try? await system.invoke(
                            UserCalls.presenceInGuild, on: .user(userID), question, deadline: Self.questionDeadline
                        ).presence
                    }
                }
                for await case let answer? in group where home.state?.presences[answer.userID] == nil {
                    receive(answer)
                }
            }
        }
    }
}
