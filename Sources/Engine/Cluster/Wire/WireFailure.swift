/// An error of the application that crosses between nodes with its type and content.
///
/// Local calls hand the error on as it is; between nodes it travels as its number and its bytes, and is thrown again as
/// the same type on the other side, if that type is registered there with `ClusterActorSystem.register(failure:)`.
public protocol WireFailure: Error, WireCodable {
    /// Names the type between nodes. Never changes, unique in the cluster.
    static var failureNumber: UInt16 { get }
}
