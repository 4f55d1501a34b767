import FluxCluster
import FluxCore

/// Tells the User actors what becomes of the sessions of one loop, in order. Confined to its loop.
final class SessionAnnouncer {
    private unowned let loop: EngineLoop

    init(loop: EngineLoop) { self.loop = loop }

    func presenceChanged(_ presence: SessionPresence, of session: Session) {
        guard session.isAnnounced, session.presenceBudget.take(at: loop.now) else { return }
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
            GuildCalls.unwatch, on: .guild(guild), WatchEnded(userID: userID, node: loop.services.system.identity.id),
            replyOn: loop.index
        ) { _ in }
    }

    /// The session has waited so long for its client that its user may be offline.
    func sessionAbsent(_ session: Session) { tell(.absent, of: session) }

    /// The client of an absent session is back.
    func sessionReturned(_ session: Session) { tell(.returned, of: session) }

    private func tell(_ news: SessionNews.News, of session: Session) {
        loop.services.system.invoke(
            UserCalls.session, on: .user(session.userID), SessionNews(session: session.key, news: news),
            replyOn: loop.index
        ) { _ in }
    }
}
