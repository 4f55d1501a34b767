import Distributed
import FluxCluster
import FluxCore

import struct NIOCore.TimeAmount

/// How the user looks to others, and others to the user (protocol 7.9, 9.3).
extension UserActor {
    /// How long READY waits for a friend to say how they look.
    private static var questionDeadline: TimeAmount { .seconds(1) }

    /// Takes over what the user chose for all sessions, as far as it holds now.
    func refreshChosenPresence() {
        presence.chosenStatus = state.settings.chosenStatus
        var custom = state.settings.customStatus(at: .now())
        if let former = presence.customStatus, var same = custom {
            // The moment at which it was first seen is no change of it.
            same.createdAt = former.createdAt
            if same == former { custom = former }
        }
        presence.customStatus = custom
    }

    /// Tells the guilds and friends what has changed in how the user looks.
    /// - Parameter anew: also if nothing has: a guild may have another owner since, who does not know.
    func announcePresence(anew: Bool = false) {
        let merged = presence.merged(userID)
        guard anew || merged != shownPresence else { return }
        shownPresence = merged
        for guildID in guildIDs { tell(merged, to: guildID) }
        for friendID in state.friendIDs { tell(merged, toFriend: friendID) }
    }

    func tell(_ presence: Presence, to guildID: GuildID) {
        services.system.invoke(
            GuildCalls.presence, on: .guild(guildID), MemberPresence(presence), replyOn: loop.index
        ) { _ in }
    }

    /// Only friends who are here hear it; others ask when they come.
    private func tell(_ presence: Presence, toFriend friendID: UserID) {
        services.system.invoke(
            UserCalls.friendPresence, on: .user(friendID), MemberPresence(presence), replyOn: loop.index
        ) { _ in }
    }

    /// Two have become friends: each is shown the other. Who learns of it last asks and tells; what the first one tells too
    /// early, or what comes twice, shows nothing.
    func exchangePresence(with friendID: UserID) {
        if shownPresence.status != .offline { tell(shownPresence, toFriend: friendID) }
        services.system.invoke(
            UserCalls.presence, on: .user(friendID), PresenceQuestion(asker: userID), replyOn: loop.index
        ) { [weak self] result in
            guard let self, case .success(let answer) = result else { return }
            self.assumeIsolated { $0.receive(answer.presence) }
        }
    }

    /// A friend's presence changed.
    func receive(_ presence: Presence) {
        guard state.isFriend(presence.userID), remember(presence) else { return }
        show(presence)
    }

    /// Shows the user's sessions how a friend looks.
    func show(_ presence: Presence) {
        var writer = JSONWriter()
        presence.write(to: &writer, guildID: nil)
        emit(.presenceUpdate, body: writer.bytes)
    }

    /// - Returns: whether it is news.
    private func remember(_ presence: Presence) -> Bool {
        let shown = presence.status == .offline ? nil : presence
        guard friendPresences[presence.userID] != shown else { return false }
        friendPresences[presence.userID] = shown
        return true
    }

    /// How the user looks to somebody who asks: offline to all but friends.
    func presence(shownTo asker: UserID) -> Presence {
        state.isFriend(asker) ? shownPresence : .offline(userID)
    }

    /// How the user looks to the members of a guild: offline, unless it is one of the user's.
    func presence(shownIn guildID: GuildID) -> Presence {
        guildIDs.contains(guildID) ? shownPresence : .offline(userID)
    }

    /// Returns when it is known how the friends look. Asks those who are here; the others are offline.
    func learnFriendPresences() async {
        if let friendsAsked { return await friendsAsked.value }
        let asking = Task { await self.askFriends() }
        friendsAsked = asking
        await asking.value
    }

    private func askFriends() async {
        let (services, question) = (services, PresenceQuestion(asker: userID))
        let answers = await withTaskGroup(of: Presence?.self) { group in
            for friendID in state.friendIDs {
                group.addTask {
                    try? await services.system.invoke(
                        UserCalls.presence, on: .user(friendID), question, deadline: Self.questionDeadline
                    ).presence
                }
            }
            var answers: [Presence] = []
            for await case let answer? in group { answers.append(answer) }
            return answers
        }
        // What a friend has told meanwhile is newer than the answer.
        for presence in answers where friendPresences[presence.userID] == nil { _ = remember(presence) }
    }
}
