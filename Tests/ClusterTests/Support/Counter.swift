import Distributed
import FluxCluster
import FluxCore

/// A value that means nothing before the next version.
struct LaterValue: WireCodable, Equatable {
    var value: Int

    init(value: Int) { self.value = value }

    func encode(to writer: inout WireWriter) {
        writer.require(WireDialect.next.versions.current)
        writer.value(value)
    }

    init(from reader: inout WireReader) throws(WireError) { value = try reader.value() }
}

/// The canonical keyed actor: counts, remembers the order of what it was told, and can be asked to misbehave.
distributed actor Counter: KeyedActor {
    typealias ActorSystem = ClusterActorSystem
    nonisolated var unownedExecutor: UnownedSerialExecutor { actorSystem.unownedExecutor(for: id) }

    static let kind = ActorKind(rawValue: 200)
    static let add = Call<Counter, Int, Int>(number: 1)
    static let addTwice = Call<Counter, Int, Int>(number: 2, isIdempotent: true)
    static let refuse = Call<Counter, Nothing, Nothing>(number: 3)
    static let drop = Call<Counter, Nothing, Nothing>(number: 4)
    static let keep = Call<Counter, Nothing, Nothing>(number: 5, isIdempotent: true)
    static let peek = Call<Counter, Int, Int>(number: 7, isIdempotent: true, wakes: false)
    /// Two that the next version brings.
    static let addLater = Call<Counter, Int, Int>(number: 8, since: WireDialect.next.versions.current)
    static let tellLater = Call<Counter, Int, LaterValue>(number: 9)
    /// The first owner says in the middle that it has lost the slot.
    static let lose = Call<Counter, Int, Int>(number: 11)
    /// The same, of a call that may be made twice.
    static let loseTwice = Call<Counter, Int, Int>(number: 12, isIdempotent: true)
    /// The first owner says so before it has done anything.
    static let leave = Call<Counter, Int, Int>(number: 10)
    static let unregistered = Call<Counter, Nothing, Nothing>(number: 6)

    let epoch: Epoch
    private(set) var values: [Int] = []
    private var total = 0
    private var kept: [Responder<Nothing>] = []
    private let journal: Journal

    init(actorSystem: ClusterActorSystem, epoch: Epoch, journal: Journal) {
        self.actorSystem = actorSystem
        self.epoch = epoch
        self.journal = journal
    }

    var canPassivate: Bool { !journal.isBusy }

    func deactivated(_ reason: DeactivationReason) {
        journal.record(.deactivated(id, reason))
        kept.removeAll()
    }

    func add(_ value: Int) -> Int {
        values.append(value)
        total += value
        return total
    }

    func keep(_ responder: Responder<Nothing>) {
        journal.record(.kept(id))
        kept.append(responder)
    }

    distributed func increase(by value: Int) -> Int {
        add(value)
    }

    distributed func touch() {}

    distributed func currentEpoch() -> Epoch {
        epoch
    }

    distributed func list() -> [Int] {
        values
    }

    distributed func refuse(_ reason: String) throws {
        throw Refusal(reason: reason)
    }

    distributed func crash() throws {
        throw Unspeakable()
    }

    distributed func take(_ opaque: Opaque) -> Int {
        opaque.value
    }

    distributed func take(keyed value: Keyed) -> Int {
        add(value.value)
    }

    distributed func hang() async {
        journal.record(.hanging(id))
        await journal.untilReleased()
    }
}

/// An actor of another kind, to be confused with `Counter` by hostile frames.
distributed actor Stranger: KeyedActor {
    typealias ActorSystem = ClusterActorSystem
    nonisolated var unownedExecutor: UnownedSerialExecutor { actorSystem.unownedExecutor(for: id) }
    static let kind = ActorKind(rawValue: 201)

    distributed func greet() -> String { "hello" }
}

/// An application's error that crosses between nodes.
struct Refusal: WireFailure, Equatable {
    static let failureNumber: UInt16 = 7
    let reason: String

    init(reason: String) { self.reason = reason }
    func encode(to writer: inout WireWriter) { writer.string(reason) }
    init(from reader: inout WireReader) throws(WireError) { reason = try reader.string() }
}

/// An error without a wire form.
struct Unspeakable: Error {}

/// An argument that does not survive encoding: what arrives elsewhere is always -1.
struct Opaque: WireCodable {
    let value: Int

    init(value: Int) { self.value = value }
    func encode(to writer: inout WireWriter) { writer.byte(0) }
    init(from reader: inout WireReader) throws(WireError) {
        _ = try reader.byte()
        value = -1
    }
}

/// An argument with an idempotency key.
struct Keyed: Repeatable {
    let value: Int
    var isRepeatable: Bool { true }

    init(value: Int) { self.value = value }
    func encode(to writer: inout WireWriter) { writer.signed(value) }
    init(from reader: inout WireReader) throws(WireError) { value = try reader.signed() }
}
