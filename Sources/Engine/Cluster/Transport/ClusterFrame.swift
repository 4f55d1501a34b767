import FluxCore

/// What two nodes say to each other once they are connected: one byte of version, one of kind, the fields of the kind, and
/// then, up to the end, the arguments, the reply or the event's payload.
enum ClusterFrame {
    /// Runs something on an actor.
    case call(CallHead)
    /// Answers a call.
    case reply(ReplyHead)
    /// Something that nobody answers.
    case event(EventHead)

    /// Which call of which loop of the sender this is or answers.
    struct CallReference: Hashable {
        let loop: Int
        let token: UInt64
    }

    /// What stands before the arguments.
    struct CallHead {
        let reference: CallReference
        let address: ActorAddress
        /// How long the caller still waits, milliseconds.
        let timeout: UInt32
        let method: Method
        /// The version since which there is such a call; not sent.
        var since = WireVersion.oldest
    }

    /// What is called.
    enum Method: Hashable {
        /// A hot call by its number.
        case number(UInt16)
        /// A distributed func by its name.
        case name(String)
    }

    /// What stands before the reply.
    struct ReplyHead {
        let reference: CallReference
        let outcome: Outcome
    }

    /// How the call ended.
    enum Outcome {
        /// The rest of the frame is the reply.
        case success
        /// The call did not run: the slot lives elsewhere.
        case redirect(node: NodeID?, epoch: Epoch)
        /// The call failed in the system.
        case failure(CallError)
        /// The actor refused; the rest of the frame is the failure of the type with this number.
        case refused(failureNumber: UInt16)
    }

    /// What stands before an event's payload.
    struct EventHead {
        let event: ClusterEvent
    }

    /// The version since which this is known: who speaks an older one is sent nothing of the sort.
    var since: WireVersion {
        switch self {
        case .call(let head): head.since
        case .reply: .oldest
        case .event(let head): head.event.since
        }
    }

    /// Writes the head; the caller appends what follows it.
    func encode(to writer: inout WireWriter) {
        writer.byte(writer.version.rawValue)
        writer.require(since)
        switch self {
        case .call(let head):
            writer.byte(1)
            head.reference.encode(to: &writer)
            writer.value(head.address)
            writer.unsigned(head.timeout)
            switch head.method {
            case .number(let number):
                writer.byte(1)
                writer.unsigned(number)
            case .name(let name):
                writer.byte(2)
                writer.string(name)
            }
        case .reply(let head):
            writer.byte(2)
            head.reference.encode(to: &writer)
            head.outcome.encode(to: &writer)
        case .event(let head):
            writer.byte(3)
            writer.unsigned(head.event.number)
        }
    }

    /// Reads a head of a sender who writes one of these versions; the reader that comes back stands before what follows it.
    static func decode(_ bytes: [UInt8], speaking versions: WireVersionRange) throws(WireError) -> (
        ClusterFrame, WireReader
    ) {
        guard let first = bytes.first else { throw .truncated }
        let version = WireVersion(rawValue: first)
        guard versions.contains(version) else { throw .malformed("version \(first)") }
        var reader = WireReader(bytes, version: version)
        _ = try reader.byte()
        switch try reader.byte() {
        case 1:
            let reference = try CallReference(from: &reader)
            let address: ActorAddress = try reader.value()
            let timeout: UInt32 = try reader.unsigned()
            let method: Method
            switch try reader.byte() {
            case 1: method = .number(try reader.unsigned())
            case 2: method = .name(try reader.string())
            case let other: throw .unknownCase(UInt64(other))
            }
            let head = CallHead(reference: reference, address: address, timeout: timeout, method: method)
            return (.call(head), reader)
        case 2:
            let reference = try CallReference(from: &reader)
            let outcome = try Outcome(from: &reader)
            return (.reply(ReplyHead(reference: reference, outcome: outcome)), reader)
        case 3:
            return (.event(EventHead(event: ClusterEvent(number: try reader.unsigned()))), reader)
        case let other:
            throw .unknownCase(UInt64(other))
        }
    }
}

extension ClusterFrame.CallReference {
    fileprivate func encode(to writer: inout WireWriter) {
        writer.unsigned(UInt(loop))
        writer.unsigned(token)
    }

    fileprivate init(from reader: inout WireReader) throws(WireError) {
        loop = Int(try reader.unsigned(UInt16.self))
        token = try reader.unsigned()
    }
}

extension ClusterFrame.Outcome {
    fileprivate func encode(to writer: inout WireWriter) {
        switch self {
        case .success:
            writer.byte(0)
        case .redirect(let node, let epoch):
            writer.byte(1)
            writer.optional(node)
            writer.signed(epoch)
        case .failure(let error):
            writer.byte(2)
            error.encode(to: &writer)
        case .refused(let number):
            writer.byte(3)
            writer.unsigned(number)
        }
    }

    fileprivate init(from reader: inout WireReader) throws(WireError) {
        switch try reader.byte() {
        case 0: self = .success
        case 1: self = .redirect(node: try reader.optional(), epoch: try reader.signed())
        case 2: self = .failure(try CallError(from: &reader))
        case 3: self = .refused(failureNumber: try reader.unsigned())
        case let other: throw .unknownCase(UInt64(other))
        }
    }
}

extension CallError {
    /// All but `refused`, which has a place of its own in the frame.
    fileprivate func encode(to writer: inout WireWriter) {
        switch self {
        case .timedOut: writer.byte(1)
        case .notOwner(let node, let epoch):
            writer.byte(2)
            writer.optional(node)
            writer.signed(epoch)
        // Version 1 knows no better word for what may have run.
        case .slotLost: writer.byte(10)
        case .unreachable: writer.byte(3)
        case .overloaded: writer.byte(4)
        case .refused(let failure):
            writer.byte(5)
            writer.string(String(describing: type(of: failure)))
        case .failed(let name):
            writer.byte(5)
            writer.string(name)
        case .unknownTarget: writer.byte(6)
        case .malformed: writer.byte(7)
        case .unanswered: writer.byte(8)
        case .noSuchActor: writer.byte(9)
        }
    }

    fileprivate init(from reader: inout WireReader) throws(WireError) {
        switch try reader.byte() {
        case 1: self = .timedOut
        case 2: self = .notOwner(node: try reader.optional(), epoch: try reader.signed())
        case 3: self = .unreachable
        case 4: self = .overloaded
        case 5: self = .failed(try reader.string())
        case 6: self = .unknownTarget
        case 7: self = .malformed(.malformed("reported by the other node"))
        case 8: self = .unanswered
        case 9: self = .noSuchActor
        case 10: self = .slotLost
        case let other: throw .unknownCase(UInt64(other))
        }
    }
}
