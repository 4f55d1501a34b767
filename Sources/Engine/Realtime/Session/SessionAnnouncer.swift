import FluxCluster
import FluxCore

/// Tells the User actors what becomes of the sessions of one loop, in order. Confined to its loop.
final class SessionAnnouncer {
    private unowned let loop: EngineLoop

    init(loop: EngineLoop) { self.loop = loop }

    func presenceChanged(_ presence: SessionPresence, of session: Session) {
        guard session.isAnnounced, session.presenceBudget.take(at: loop.now) else { return }
        session.presence = presence
        tell(.presence(presence), of: session)
    }

    /// The session is over.
    func sessionEnded(_ session: Session, watching guilds: [GuildID]) {
        tell(.ended, of: session)
        for guild in guilds { stopWatching(guild, as: session.userID) }
    }

    /// A session that the guild counts listens to it no longer.
    func stopWatching(_ guild: GuildID, as userID: UserID) {
        loop.services.system.invoke(
            GuildCalls.unwatch, on: .guild(guild), GuildWatch(userID: userID, node: loop.services.system.identity.id),
            replyOn: loop.index
        ) { _ in }
    }

    /// The session has waited so long for its client that its user may be offline.
    func sessionAbsent(_ session: Session) { tell(.absent, of: session) }

    /// A session has come from another node, which says no more of it.
    func sessionMoved(_ session: Session) { tellAll(of: session) }

    /// The user may have a new owner, who knows nothing of the session, or one that could not be told of it for a while.
    func ownerIsBack(for session: Session) { if session.isAnnounced { tellAll(of: session) } }

    private func tellAll(of session: Session) {
        tell(.presence(session.presence), of: session)
        tell(session.countsAsOffline ? .absent : .returned, of: session)
    }

    /// A session that has moved listens to a guild here. - Parameter completion: on this loop, whether the guild knows.
    func startWatching(
        _ guild: GuildID, as userID: UserID, _ completion: @escaping @Sendable (_ isKnown: Bool) -> Void
    ) {
        loop.services.system.invoke(
            GuildCalls.watch, on: .guild(guild), GuildWatch(userID: userID, node: loop.services.system.identity.id),
            replyOn: loop.index
        ) { result in
            if case .success = result { completion(true) } else { completion(false) }
        }
    }

    /// The client of an absent session is back.
    func sessionReturned(_ session: Session) { tell(.returned, of: session) }

    private func tell(_ news: SessionNews.News, of session: Session) {
        loop.services.system.invoke(
            UserCalls.session, on: .user(session.userID),
            SessionNews(session: session.key, home: session.home, news: news),
            replyOn: loop.index
        ) { _ in }
    }
}
