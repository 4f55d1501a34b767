import Foundation

extension Thread {
    /// Starts a thread that runs `body` and ends. `name` is what `ps -L` shows; Linux keeps 15 bytes of it.
    static func detachNamed(_ name: String, _ body: @escaping @Sendable () -> Void) {
        let thread = Thread(block: body)
        thread.name = name
        thread.start()
    }
}
