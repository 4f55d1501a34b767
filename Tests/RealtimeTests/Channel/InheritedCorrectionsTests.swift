import FluxCore
import FluxFuzzing
import FluxStore
import Testing

@testable import FluxRealtime

/// Whatever an owner has shown in vain when it dies, the next one tells all of it, and tells it once (I5).
@Suite struct InheritedCorrectionsTests {
    private typealias Key = ReactionFold.Key

    /// A message's reactions as they are shown, as they are stored, and the log that the owner leaves.
    private struct World {
        static let channel: ChannelID = Snowflake(1)
        static let messages: [MessageID] = [Snowflake(7), Snowflake(8)]
        static let emoji = [
            Emoji(id: nil, name: "👍"), Emoji(id: Snowflake(70), name: "fox", animated: true),
        ]
        let body = ChannelEventBody(channelID: channel, guildID: nil, epoch: 1)
        var generator: SeededGenerator
        var shown: Set<Key> = []
        var stored: Set<Key> = []
        var log: [LoggedEntry] = []

        private var next: SequenceNumber { SequenceNumber(log.count + 1) }

        mutating func change() {
            let message = Self.messages.randomElement(using: &generator) ?? Snowflake(7)
            let emoji = Self.emoji.randomElement(using: &generator) ?? Self.emoji[0]
            guard Int.random(in: 0..<6, using: &generator) > 0 else {
                return clear(message, Bool.random(using: &generator) ? emoji : nil)
            }
            let user: UserID = Snowflake(UInt64.random(in: 1...3, using: &generator))
            var change = ReactionChange(
                channelID: Self.channel, messageID: message, userID: user, emoji: emoji, isAdded: true)
            // An owner decides from what it has shown.
            change.isAdded = !shown.contains(Key(change))
            Self.apply(change, to: &shown)
            let isDurable = Bool.random(using: &generator)
            if isDurable { Self.apply(change, to: &stored) }
            log(EventSubject(change), kind(change), message, payload(change), isDurable: isDurable)
        }

        private mutating func clear(_ message: MessageID, _ emoji: Emoji?) {
            let clear = ReactionFold.Clear(channelID: Self.channel, messageID: message, emoji: emoji?.key)
            guard shown.contains(where: clear.takes) else { return }
            shown = shown.filter { !clear.takes($0) }
            let isDurable = Bool.random(using: &generator)
            if isDurable { stored = stored.filter { !clear.takes($0) } }
            log(
                .clear(clear), emoji == nil ? .messageReactionRemoveAll : .messageReactionRemoveEmoji, message,
                body.reactionsCleared(emoji, on: message, sequence: next), isDurable: isDurable)
        }

        /// Tells how a reaction stands.
        mutating func tell(_ change: ReactionChange) {
            Self.apply(change, to: &shown)
            log(EventSubject(change), kind(change), change.messageID, payload(change), isDurable: true)
        }

        private mutating func log(
            _ subject: EventSubject, _ kind: EventKind, _ message: MessageID, _ payload: [UInt8], isDurable: Bool
        ) {
            let entry = LogEntry(
                channelID: Self.channel, seq: next, epoch: 1, kind: kind, messageID: message, payload: payload)
            log.append(
                isDurable
                    ? LoggedEntry(entry) : LoggedEntry(voidIn: Self.channel, seq: next, epoch: 1, about: subject))
        }

        private func kind(_ change: ReactionChange) -> EventKind {
            change.isAdded ? .messageReactionAdd : .messageReactionRemove
        }

        private func payload(_ change: ReactionChange) -> [UInt8] {
            body.reaction(
                change.emoji, of: change.userID, on: change.messageID, authorID: nil, member: nil, sequence: next)
        }

        private static func apply(_ change: ReactionChange, to set: inout Set<Key>) {
            if change.isAdded { set.insert(Key(change)) } else { set.remove(Key(change)) }
        }

        /// What the next owner finds to tell.
        func owed(standing: [MessageID] = messages) -> [ReactionChange] {
            var voids = UnansweredVoids()
            for entry in log {
                if entry.kind == LoggedEntry.voidKind {
                    EventSubject(voidIn: Self.channel, messageID: entry.messageID, payload: entry.payload).map {
                        voids.failed($0)
                    }
                } else if let kind = EventKind(rawValue: entry.kind) {
                    EventSubject(
                        of: kind, in: Self.channel, messageID: entry.messageID, payload: entry.payload
                    ).map { voids.told($0) }
                }
            }
            let messages = standing.map {
                ($0, Message(id: $0, channelID: Self.channel, authorID: Snowflake(2), content: "", seq: 1, epoch: 1))
            }
            let sets = Self.messages.map { message in
                (
                    message,
                    Self.emoji.map { emoji in
                        let users = stored.filter { $0.messageID == message && $0.emoji == emoji.key }.map(\.userID)
                        return ReactionSet(emoji: emoji, userIDs: users.sorted())
                    }
                )
            }
            let corrections = PendingChanges.Correction.inherited(
                voids, messages: Dictionary(uniqueKeysWithValues: messages),
                standing: stored.intersection(voids.reactions.keys),
                cleared: Dictionary(uniqueKeysWithValues: sets))
            return corrections.compactMap { if case .reaction(let change) = $0 { change } else { nil } }
        }
    }

    @Test func everybodyIsShownWhatIsStored() {
        var mended = 0
        for seed in 1...4_000 {
            var world = World(generator: SeededGenerator(seed: UInt64(seed)))
            for _ in 0..<Int.random(in: 1...14, using: &world.generator) { world.change() }
            let before = world.shown
            // Owners that die in the middle of telling, until one gets to its end.
            for _ in 0..<3 {
                let owed = world.owed()
                #expect(Set(owed.map(Key.init)).count == owed.count)
                for change in owed.prefix(Int.random(in: 0...owed.count, using: &world.generator)) {
                    world.tell(change)
                }
            }
            for change in world.owed() { world.tell(change) }
            #expect(world.shown == world.stored, "seed \(seed)")
            #expect(world.owed() == [])
            if before != world.stored { mended += 1 }
        }
        #expect(mended > 1_000)
    }

    @Test func nobodyIsToldOfTheReactionsOfAMessageThatIsGone() {
        var world = World(generator: SeededGenerator(seed: 3))
        while Set(world.owed().map(\.messageID)).count < 2 { world.change() }
        #expect(Set(world.owed(standing: [World.messages[0]]).map(\.messageID)) == [World.messages[0]])
        #expect(world.owed(standing: []) == [])
    }
}
