import FluxCore
import Testing

@testable import FluxRealtime

/// What a user is shown of a conversation whose events come twice, late, or not at all, and whose owners die.
@Suite struct ConversationLogsTests {
    private static let channel = ChannelID(4)
    private static let user = UserID(7)

    private func event(_ sequence: SequenceNumber, epoch: Epoch, kind: EventKind = .messageCreate) -> DirectEvent {
        DirectEvent(
            channelID: Self.channel, kind: kind, body: [UInt8(truncatingIfNeeded: sequence)],
            head: DirectHead(lastSequence: sequence, epoch: epoch), isLogged: true,
            messageID: MessageID(UInt64(epoch) << 32 | UInt64(sequence)))
    }

    private func shown(_ steps: [ConversationLogs.Step]) -> [SequenceNumber] {
        steps.compactMap { if case .show(let event, _) = $0 { event.head.lastSequence } else { nil } }
    }

    private func asks(_ steps: [ConversationLogs.Step]) -> [ChannelHead] {
        steps.compactMap { if case .ask(let question) = $0 { question.head } else { nil } }
    }

    @Test func eventsInOrderAreShownOnce() {
        var logs = ConversationLogs(of: Self.user)
        for sequence in 1...3 as ClosedRange<SequenceNumber> {
            #expect(shown(logs.receive(event(sequence, epoch: 1), isFollowed: true, reign: 0, at: 0)) == [sequence])
            #expect(logs.receive(event(sequence, epoch: 1), isFollowed: true, reign: 0, at: 0).isEmpty)
        }
    }

    @Test func aGapIsClosedBeforeWhatComesAfterIsShown() {
        var logs = ConversationLogs(of: Self.user)
        _ = logs.receive(event(1, epoch: 1), isFollowed: true, reign: 0, at: 0)
        let head = ChannelHead(channelID: Self.channel, sequence: 1, epoch: 1)
        #expect(asks(logs.receive(event(3, epoch: 1), isFollowed: true, reign: 0, at: 0)) == [head])
        #expect(logs.receive(event(4, epoch: 1), isFollowed: true, reign: 0, at: 0).isEmpty)
        let correction = DirectCorrection(
            channelID: Self.channel, standsUpTo: nil, missed: [event(2, epoch: 1), event(3, epoch: 1)],
            head: DirectHead(lastSequence: 3, epoch: 1), epoch: 1, isComplete: true, isTruncated: false)
        #expect(shown(logs.answered(correction, reign: 0, at: 0)) == [2, 3, 4])
    }

    @Test(arguments: [false, true]) func whatAFormerOwnerSaysLateIsShownIfItStands(isCommitted: Bool) {
        var logs = ConversationLogs(of: Self.user)
        #expect(shown(logs.receive(event(1, epoch: 1), isFollowed: true, reign: 1, at: 0)) == [1])
        let head = ChannelHead(channelID: Self.channel, sequence: 1, epoch: 1)
        let steps = logs.receive(event(2, epoch: 1), isFollowed: true, reign: 2, at: 0)
        #expect(asks(steps) == [head] && shown(steps).isEmpty)
        let correction = DirectCorrection(
            channelID: Self.channel, standsUpTo: nil, missed: isCommitted ? [event(2, epoch: 1)] : [],
            head: DirectHead(lastSequence: isCommitted ? 2 : 1, epoch: 1), epoch: 2, isComplete: true,
            isTruncated: false)
        #expect(shown(logs.answered(correction, reign: 2, at: 0)) == (isCommitted ? [2] : []))
        #expect(shown(logs.receive(event(isCommitted ? 3 : 2, epoch: 2), isFollowed: true, reign: 2, at: 0)).count == 1)
        // Whether anybody listens or not: it may have to be put on the user's list.
        #expect(asks(logs.receive(event(9, epoch: 2), isFollowed: false, reign: 3, at: 0)).count == 1)
    }

    @Test func whatWasHeardInVainIsAskedForWhenSomebodyListens() {
        var logs = ConversationLogs(of: Self.user)
        logs.begin(Channel(id: Self.channel, kind: .directMessage, lastSeq: 5, epoch: 3))
        for sequence in [7, 6] as [SequenceNumber] {
            let head = DirectHead(lastSequence: sequence, epoch: 3)
            #expect(logs.heard(head, of: Self.channel, isFollowed: false).isEmpty)
        }
        #expect(asks(logs.followed()) == [ChannelHead(channelID: Self.channel, sequence: 5, epoch: 3)])
        #expect(logs.followed().isEmpty)
        for id in 0..<ConversationLogs.maximumUnheard {
            let channel = ChannelID(UInt64(100 + id))
            #expect(logs.heard(DirectHead(lastSequence: 1, epoch: 1), of: channel, isFollowed: false).isEmpty)
        }
        // There is no room for another one: who comes from before it begins anew.
        #expect(
            logs.heard(DirectHead(lastSequence: 7, epoch: 3), of: Self.channel, isFollowed: false) == [.passOver])
    }

    @Test func whatWasCommittedWhileTheUserChangedHandsIsShown() {
        let (other, fresh) = (ChannelID(5), ChannelID(6))
        var logs = ConversationLogs(of: Self.user)
        logs.begin(Channel(id: Self.channel, kind: .directMessage, lastSeq: 6, epoch: 1))
        logs.begin(Channel(id: other, kind: .directMessage, lastSeq: 3, epoch: 1))
        logs.begin(Channel(id: fresh, kind: .directMessage, lastSeq: 1, epoch: 1))
        let steps = logs.recall([
            Self.channel: DirectHead(lastSequence: 5, epoch: 1), other: DirectHead(lastSequence: 4, epoch: 1),
        ])
        // What was shown and is not stored yet will be, or is taken back by its owner.
        #expect(
            asks(steps) == [
                ChannelHead(channelID: Self.channel, sequence: 5, epoch: 1),
                ChannelHead(channelID: fresh, sequence: 0, epoch: 0),
            ])
        // It was held while the user had no owner, and comes before anybody has turned to the new one.
        #expect(logs.receive(event(6, epoch: 1), isFollowed: false, reign: 1, at: 0).isEmpty)
        #expect(logs.receive(event(7, epoch: 1), isFollowed: false, reign: 1, at: 0).isEmpty)
        #expect(logs.followed().isEmpty)
        let correction = DirectCorrection(
            channelID: Self.channel, standsUpTo: nil, missed: [event(6, epoch: 1)],
            head: DirectHead(lastSequence: 6, epoch: 1), epoch: 1, isComplete: true, isTruncated: false)
        #expect(shown(logs.answered(correction, reign: 1, at: 0)) == [6, 7])
        #expect(logs.memory[other] == DirectHead(lastSequence: 4, epoch: 1))
    }

    @Test func nothingIsAskedForWhereNobodyListens() {
        var logs = ConversationLogs(of: Self.user)
        #expect(shown(logs.receive(event(20, epoch: 1), isFollowed: false, reign: 0, at: 0)) == [20])
        #expect(shown(logs.receive(event(25, epoch: 3), isFollowed: false, reign: 0, at: 0)) == [25])
        #expect(logs.head(of: Self.channel)?.lastSequence == 25)
    }

    @Test func aGapThatNobodyIsThereToSeeIsSaid() {
        var logs = ConversationLogs(of: Self.user)
        logs.begin(Channel(id: Self.channel, kind: .directMessage, lastSeq: 5, epoch: 3))
        #expect(!logs.receive(event(6, epoch: 3), isFollowed: false, reign: 0, at: 0).contains(.passOver))
        #expect(logs.receive(event(8, epoch: 3), isFollowed: false, reign: 0, at: 0).first == .passOver)
        // What was shown last may have been false.
        #expect(logs.receive(event(9, epoch: 4), isFollowed: false, reign: 0, at: 0).first == .passOver)
        var fresh = ConversationLogs(of: Self.user)
        #expect(!fresh.receive(event(1, epoch: 1), isFollowed: false, reign: 0, at: 0).contains(.passOver))
        var other = ConversationLogs(of: Self.user)
        #expect(other.receive(event(2, epoch: 1), isFollowed: false, reign: 0, at: 0).first == .passOver)
    }

    @Test func aFormerOwnersLateWordIsNotShown() {
        var logs = ConversationLogs(of: Self.user)
        logs.begin(Channel(id: Self.channel, kind: .directMessage, lastSeq: 5, epoch: 3))
        #expect(logs.receive(event(6, epoch: 2), isFollowed: true, reign: 0, at: 0).isEmpty)
        #expect(shown(logs.receive(event(6, epoch: 4), isFollowed: true, reign: 0, at: 0)) == [6])
    }

    @Test func whatCannotBeTakenBackBreaksOff() {
        var logs = ConversationLogs(of: Self.user)
        _ = logs.receive(event(1, epoch: 1), isFollowed: true, reign: 0, at: 0)
        _ = logs.receive(event(2, epoch: 1, kind: .messageUpdate), isFollowed: true, reign: 0, at: 0)
        _ = logs.receive(event(2, epoch: 2), isFollowed: true, reign: 0, at: 0)
        let correction = DirectCorrection(
            channelID: Self.channel, standsUpTo: 1, missed: [event(2, epoch: 2)],
            head: DirectHead(lastSequence: 2, epoch: 2), epoch: 2, isComplete: true, isTruncated: false)
        #expect(logs.answered(correction, reign: 0, at: 0).first == .breakOff)
    }

    @Test func typingWaitsForNothing() {
        var logs = ConversationLogs(of: Self.user)
        _ = logs.receive(event(1, epoch: 1), isFollowed: true, reign: 0, at: 0)
        _ = logs.receive(event(3, epoch: 1), isFollowed: true, reign: 0, at: 0)
        var typing = event(3, epoch: 1, kind: .typingStart)
        typing.isLogged = false
        #expect(shown(logs.receive(typing, isFollowed: true, reign: 0, at: 0)).count == 1)
    }

    @Test func whoIsLeftAloneTooLongBeginsAnew() {
        var logs = ConversationLogs(of: Self.user)
        _ = logs.receive(event(1, epoch: 1), isFollowed: true, reign: 0, at: 0)
        var steps: [ConversationLogs.Step] = []
        for sequence in 3...(SequenceNumber(ConversationLogs.maximumHeld) + 3) {
            steps += logs.receive(event(sequence, epoch: 1), isFollowed: true, reign: 0, at: 0)
        }
        #expect(steps.last == .breakOff)
    }

    @Test func anUnansweredQuestionIsAskedAgainUnlessThereIsNobodyToAsk() {
        var logs = ConversationLogs(of: Self.user)
        _ = logs.receive(event(1, epoch: 1), isFollowed: true, reign: 0, at: 0)
        _ = logs.receive(event(3, epoch: 1), isFollowed: true, reign: 0, at: 0)
        #expect(asks(logs.unanswered(Self.channel, isGone: false, at: 0)).map(\.sequence) == [1])
        #expect(shown(logs.unanswered(Self.channel, isGone: true, at: 0)) == [3])
    }

    @Test func theDigestSaysWhetherTwoHaveSeenTheSame() {
        var one = ConversationLogs(of: Self.user)
        var other = ConversationLogs(of: Self.user)
        for sequence in 1...3 as ClosedRange<SequenceNumber> {
            _ = one.receive(event(sequence, epoch: 1), isFollowed: true, reign: 0, at: 0)
        }
        other.begin(Channel(id: Self.channel, kind: .directMessage, lastSeq: 2, epoch: 1))
        #expect(one.digest != other.digest)
        _ = other.receive(event(3, epoch: 1), isFollowed: true, reign: 0, at: 0)
        #expect(one.digest == other.digest)
    }

    // MARK: Against a model

    /// A conversation whose owners die: what was shown and not committed is gone then.
    private struct Model {
        struct Entry: Equatable {
            let sequence: SequenceNumber
            let epoch: Epoch
        }

        var committed: [Entry] = []
        var live: [Entry] = []
        var epoch: Epoch = 1

        mutating func send() -> Entry {
            let last = live.last?.sequence ?? committed.last?.sequence ?? 0
            let entry = Entry(sequence: last + 1, epoch: epoch)
            live.append(entry)
            return entry
        }

        mutating func settle() {
            committed += live
            live = []
        }

        mutating func die(committing count: Int) {
            committed += live.prefix(count)
            live = []
            epoch += 1
        }
    }

    @Test(arguments: 0..<300 as Range<UInt64>) func whateverHappensTheUserEndsWithWhatStands(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var model = Model()
        var logs = ConversationLogs(of: Self.user)
        var onTheirWay: [DirectEvent] = []
        var questions: [DirectQuestion] = []
        var messages: [MessageID] = []
        var breaks = 0
        /// What the user's node has heard of who owns the conversation.
        var reign: Epoch { Bool.random(using: &random) ? model.epoch : 0 }

        func correction(for question: DirectQuestion) -> DirectCorrection {
            model.settle()
            let head = question.head
            let stood = model.committed.last { $0.sequence <= head.sequence && $0.epoch <= head.epoch }
            let standing = stood?.sequence ?? 0
            let limit = 6
            let page = model.committed.filter { $0.sequence > standing }.prefix(limit)
            let last = page.last ?? model.committed.last ?? Model.Entry(sequence: 0, epoch: 0)
            return DirectCorrection(
                channelID: Self.channel, standsUpTo: standing < head.sequence ? standing : nil,
                missed: page.map { event($0.sequence, epoch: $0.epoch) },
                head: DirectHead(lastSequence: last.sequence, epoch: last.epoch), epoch: model.epoch,
                isComplete: page.count < limit, isTruncated: false)
        }

        func perform(_ steps: [ConversationLogs.Step]) {
            for step in steps {
                switch step {
                case .show(let event, _):
                    let id = MessageID(UInt64(event.head.epoch) << 32 | UInt64(event.head.lastSequence))
                    #expect(!messages.contains(id), "seed \(seed): shown twice")
                    messages.append(id)
                case .retract(let id, _, _):
                    #expect(messages.last == id, "seed \(seed): taken back out of order")
                    messages.removeAll { $0 == id }
                case .ask(let question): questions.append(question)
                case .passOver: break
                case .breakOff: breaks += 1
                }
            }
        }

        func turn() {
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<4:
                let entry = model.send()
                let event = event(entry.sequence, epoch: entry.epoch)
                // Lost, sent, or sent twice.
                for _ in 0..<Int.random(in: 0...2, using: &random) { onTheirWay.append(event) }
            case 4: model.settle()
            case 5 where Int.random(in: 0..<3, using: &random) == 0:
                model.die(committing: Int.random(in: 0...model.live.count, using: &random))
            case 6 where !questions.isEmpty:
                let question = questions.removeFirst()
                if Bool.random(using: &random) {
                    perform(logs.answered(correction(for: question), reign: reign, at: 0))
                } else {
                    perform(logs.unanswered(Self.channel, isGone: false, at: 0))
                }
            case 7:
                let last = model.committed.last ?? Model.Entry(sequence: 0, epoch: 0)
                let head = DirectHead(lastSequence: last.sequence, epoch: last.epoch)
                perform(logs.compared(head, of: Self.channel))
            case 8:
                guard let last = model.live.last ?? model.committed.last else { return }
                let head = DirectHead(lastSequence: last.sequence, epoch: last.epoch)
                perform(logs.heard(head, of: Self.channel, isFollowed: true))
            default:
                guard !onTheirWay.isEmpty else { return }
                let event = onTheirWay.remove(at: Int.random(in: 0..<min(3, onTheirWay.count), using: &random))
                perform(logs.receive(event, isFollowed: true, reign: reign, at: 0))
            }
        }

        for _ in 0..<200 { turn() }
        model.settle()
        let last = model.committed.last ?? Model.Entry(sequence: 0, epoch: 0)
        func answerAll() {
            while let question = questions.popLast() {
                perform(logs.answered(correction(for: question), reign: model.epoch, at: 0))
            }
        }
        let early = onTheirWay.count / 2
        for event in onTheirWay[..<early] { perform(logs.receive(event, isFollowed: true, reign: reign, at: 0)) }
        for _ in 0..<3 {
            perform(logs.compared(DirectHead(lastSequence: last.sequence, epoch: last.epoch), of: Self.channel))
            answerAll()
        }
        // What comes after that is of an owner that is known to reign no more, or was shown.
        for event in onTheirWay[early...] {
            perform(logs.receive(event, isFollowed: true, reign: model.epoch, at: 0))
            answerAll()
        }
        #expect(breaks == 0, "seed \(seed)")
        #expect(
            messages == model.committed.map { MessageID(UInt64($0.epoch) << 32 | UInt64($0.sequence)) }, "seed \(seed)")
        #expect(logs.head(of: Self.channel)?.lastSequence ?? 0 == last.sequence)
    }
}
