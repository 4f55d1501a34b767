import Distributed

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
