import Distributed

/// Records the arguments of a distributed func. On the way to an actor of this node they stay the values they are; only for
/// another node are they encoded.
public struct CallInvocationEncoder: DistributedTargetInvocationEncoder, Sendable {
    /// What arguments and results must be.
    public typealias SerializationRequirement = any WireCodable

    private(set) var arguments: [any WireCodable] = []
    private(set) var substitutions: [any Any.Type] = []

    /// Keeps the type for calls on this node; a generic func cannot be called on another one.
    public mutating func recordGenericSubstitution<T>(_ type: T.Type) throws {
        substitutions.append(type)
    }

    /// Keeps the argument.
    public mutating func recordArgument<Value: WireCodable>(_ argument: RemoteCallArgument<Value>) throws {
        arguments.append(argument.value)
    }

    /// Errors name their own type.
    public mutating func recordErrorType<E: Error>(_ type: E.Type) throws {}

    /// Both sides know the type from the func.
    public mutating func recordReturnType<R: WireCodable>(_ type: R.Type) throws {}

    /// Nothing to close.
    public mutating func doneRecording() throws {}

    /// One of the arguments says that the call may be sent again.
    var isRepeatable: Bool {
        arguments.contains { ($0 as? any Repeatable)?.isRepeatable == true }
    }

    /// Each argument as a record, so that it may have got more fields in a newer version.
    func encode(to writer: inout WireWriter) {
        for argument in arguments {
            writer.record { argument.encode(to: &$0) }
        }
    }
}

/// Gives the arguments to a distributed func that is about to run: the caller's own values, or what another node sent.
public struct CallInvocationDecoder: DistributedTargetInvocationDecoder, Sendable {
    /// What arguments and results must be.
    public typealias SerializationRequirement = any WireCodable

    private enum Source {
        case values([any WireCodable], next: Int)
        case bytes(WireReader)
    }

    private var source: Source
    private let substitutions: [any Any.Type]

    init(_ encoder: CallInvocationEncoder) {
        source = .values(encoder.arguments, next: 0)
        substitutions = encoder.substitutions
    }

    init(_ reader: WireReader) {
        source = .bytes(reader)
        substitutions = []
    }

    /// The types of a generic func; none from another node, which makes such a call fail.
    public mutating func decodeGenericSubstitutions() throws -> [any Any.Type] {
        substitutions
    }

    /// The next argument.
    public mutating func decodeNextArgument<Argument: WireCodable>() throws -> Argument {
        switch source {
        case .values(let values, let next):
            guard next < values.count, let value = values[next] as? Argument else {
                throw WireError.malformed("argument \(next) is missing or of another type")
            }
            source = .values(values, next: next + 1)
            return value
        case .bytes(var reader):
            let value = try reader.record { fields throws(WireError) in try fields.value(Argument.self) }
            source = .bytes(reader)
            return value
        }
    }

    /// Errors name their own type.
    public mutating func decodeErrorType() throws -> (any Any.Type)? { nil }

    /// Both sides know the type from the func.
    public mutating func decodeReturnType() throws -> (any Any.Type)? { nil }
}

/// Takes what a distributed func returned or threw.
public struct CallResultHandler: DistributedTargetInvocationResultHandler {
    /// What arguments and results must be.
    public typealias SerializationRequirement = any WireCodable

    let returned: @Sendable (any WireCodable) -> Void
    let threw: @Sendable (any Error) -> Void

    /// The func returned a value.
    public func onReturn<Success: WireCodable>(value: Success) async throws {
        returned(value)
    }

    /// The func returned.
    public func onReturnVoid() async throws {
        returned(Nothing())
    }

    /// The func threw.
    public func onThrow<Err: Error>(error: Err) async throws {
        threw(error)
    }
}
