/// A promise of the contract that the server broke.
struct Violation: Sendable, Equatable, CustomStringConvertible {
    /// Which promise.
    enum Kind: String, Sendable, CaseIterable {
        /// A number of a session's `s` never came.
        case gapInSession = "gap-in-s"
        /// An `s` came twice.
        case repeatInSession = "repeat-in-s"
        /// An `s` came after a later one.
        case disorderInSession = "disorder-in-s"
        /// A client misses an event that stands in the log.
        case lost
        /// A client was told an event twice.
        case duplicate
        /// An event came after a later one of its channel.
        case disorder
        /// A number was given again under a greater epoch, and what had been shown there was not taken back.
        case replacedSilently = "replaced-silently"
        /// Two different events were told at one place.
        case conflict
        /// A client was left with what is not in the log, or is something else there.
        case falseEvent = "false-event"
        /// An acknowledged message is not in the history.
        case lostAcknowledged = "lost-acknowledged"
        /// A message is in the history twice.
        case storedTwice = "stored-twice"
        /// An acknowledged message is another one in the history.
        case differsFromAnswer = "differs-from-answer"
        /// A repeat was not answered with the first message.
        case repeatDiffers = "repeat-differs"
        /// A message that was refused is in the history.
        case storedThoughRefused = "stored-though-refused"
        /// A send found no acknowledgement, however often it was repeated.
        case neverAcknowledged = "never-acknowledged"
        /// Acknowledgements of one connection and channel came in another order than the sends.
        case disorderedAnswers = "disordered-answers"
        /// A number of the log is empty and nothing explains it.
        case hole = "hole-in-log"
        /// Ids, numbers or epochs of the log do not grow.
        case unorderedLog = "unordered-log"
        /// History and log do not hold the same messages.
        case historyDiffers = "history-differs"
        /// A frame or payload breaks the protocol.
        case malformed
        /// A request was refused that had to be served.
        case refused
        /// A connection ended that nothing was to happen to.
        case connectionLost = "connection-lost"
        /// A session could not be taken up again, or not got back at all.
        case sessionLost = "session-lost"
        /// A request failed in a run in which none was to fail.
        case failedRequest = "failed-request"
    }

    let kind: Kind
    /// Who, where, what.
    let text: String

    init(_ kind: Kind, _ text: String) {
        self.kind = kind
        self.text = text
    }

    var description: String { "\(kind.rawValue): \(text)" }
}
