import FluxCore
import FluxStore

/// Something that the user's sessions get next.
package struct UserEvent: Sendable, Equatable {
    package var kind: EventKind
    /// The event's `d`.
    package var body: [UInt8]

    init(_ kind: EventKind, write: (inout JSONWriter) -> Void) {
        var writer = JSONWriter()
        write(&writer)
        self.kind = kind
        body = writer.bytes
    }
}
