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
