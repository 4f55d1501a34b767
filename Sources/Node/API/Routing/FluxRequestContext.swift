import FluxSecurity
import Hummingbird
import Logging
import NIOCore

/// What is known about a request beside the request itself: who is at the other end and when it came.
public struct FluxRequestContext: RequestContext {
    /// What a context is made from.
    public struct Source: RequestContextSource {
        /// Where the request's log lines go.
        public let logger: Logger
        /// Whom the request came from, behind trusted proxies.
        public let clientAddress: ClientAddress

        /// Makes the source of one request's context.
        public init(logger: Logger, clientAddress: ClientAddress) {
            self.logger = logger
            self.clientAddress = clientAddress
        }
    }

    /// The router's own storage: captured path segments, matched route, logger.
    public var coreContext: CoreRequestContextStorage
    /// Whom the request came from, behind trusted proxies.
    public let clientAddress: ClientAddress
    /// When the head of the request had been read.
    public let start: NIODeadline

    /// Makes the context of a request that has just been read.
    public init(source: Source) {
        coreContext = CoreRequestContextStorage(source: source)
        clientAddress = source.clientAddress
        start = .now()
    }
}
