import Dispatch
import NIOConcurrencyHelpers

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The signals of a node: SIGTERM or SIGINT stops it in good order, another one ends it at once, SIGHUP reloads its
/// certificates.
///
/// Ending at once is safe for what was acknowledged: nothing is, before it is committed.
final class ProcessSignals {
    private let sources: [any DispatchSourceSignal]

    init(stop: @escaping @Sendable () -> Void, reload: @escaping @Sendable () -> Void) {
        let stops = NIOLockedValueBox(0)
        let queue = DispatchQueue(label: "flux.signals")
        signal(SIGPIPE, SIG_IGN)
        let stopping = { @Sendable in
            let count = stops.withLockedValue { stops in
                stops += 1
                return stops
            }
            if count == 1 { stop() } else { _exit(ExitStatus.interrupted.rawValue) }
        }
        sources = [(SIGTERM, stopping), (SIGINT, stopping), (SIGHUP, reload)].map { number, action in
            #if canImport(Darwin)
                signal(number, SIG_IGN)
            #endif
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler(handler: action)
            source.resume()
            return source
        }
    }
}
