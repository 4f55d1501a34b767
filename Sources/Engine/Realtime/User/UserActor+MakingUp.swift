import FluxCluster
import FluxCore
import FluxStore

import struct NIOCore.TimeAmount

/// What a user's owner tells again in place of one that has died.
extension UserActor {
    /// How soon the friends are asked how they look.
    private static var friendsDelay: TimeAmount { .seconds(2) }

    /// Tells again what the owner before this one may have told in vain, and what does not show in `version`.
    func makeUp() {
        guard !isMadeUpFor else { return }
        isMadeUpFor = true
        for mark in lateMarks {
            let event = mark.event
            emit(event.kind, body: event.body)
        }
        compareSoon()
        // Those whose owner has died, too, are told of their sessions meanwhile.
        loop.executor.eventLoop.scheduleTask(in: Self.friendsDelay) { [weak self] in
            guard let self else { return }
            Task { await self.whenLocal { (user: isolated UserActor) in await user.showFriends() } }
        }
    }

    private func showFriends() async {
        await learnFriendPresences()
        for friendID in state.friendIDs { show(friendPresences[friendID] ?? .offline(friendID)) }
    }

    /// How long before a death something may have been told in vain.
    private static var lateness: Int64 { 60_000_000 }
    /// The most acks that are told again.
    private static var maximumLateMarks: Int { 100 }

    /// What the user has read of late, as it is stored.
    static func lateMarks(in loaded: LoadedUser, at now: Timestamp) -> [ReadMark] {
        loaded.readStates
            .filter { $0.version > 0 && $0.state.updatedAt.microseconds > now.microseconds - lateness }
            .suffix(maximumLateMarks)
            .map(ReadMark.init)
    }
}
