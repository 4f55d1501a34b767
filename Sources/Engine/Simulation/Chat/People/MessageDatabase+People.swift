import FluxCore
import FluxStore

extension MessageDatabase {
    /// What `UserLoading.load` reads of a person; nil if there is none.
    func person(_ id: UserID, in society: Society) -> LoadedUser? {
        society.accounts[id].map { user in
            LoadedUser(
                user: user, relationships: people.relationships(of: id),
                directMessages: directMessages(of: id, in: society))
        }
    }

    /// A person's conversations, with where their logs stand. All are open.
    func directMessages(of id: UserID, in society: Society) -> [DirectMessage] {
        society.directs(of: id).map { direct in
            let log = log(of: direct.id)
            return DirectMessage(
                channel: Channel(
                    id: direct.id, kind: .directMessage, recipients: direct.recipients, lastMessageID: log.order.last,
                    lastSeq: log.head.sequence, epoch: log.head.epoch), isOpen: true)
        }
    }
}
