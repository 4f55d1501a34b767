/// What a reader accepts before it gives up with `WireError.limitExceeded`.
public struct WireLimits: Sendable {
    /// The most bytes that one string or byte array may have.
    public var maximumByteCount: Int
    /// The most elements that one list may have.
    public var maximumElementCount: Int
    /// How deep values may be nested in values.
    public var maximumDepth: Int

    /// Limits with the given bounds; the defaults fit every frame that Flux itself makes.
    public init(
        maximumByteCount: Int = 16 * 1024 * 1024, maximumElementCount: Int = 1024 * 1024, maximumDepth: Int = 64
    ) {
        self.maximumByteCount = maximumByteCount
        self.maximumElementCount = maximumElementCount
        self.maximumDepth = maximumDepth
    }
}
