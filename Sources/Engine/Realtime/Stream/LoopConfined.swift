/// Holds a value that only one event loop touches, so that closures which run there may carry it.
///
/// `@unchecked Sendable` is sound because every access happens in a closure posted to the same loop; the closures run one after
/// the other, and posting orders memory between threads. In the simulator all closures of a world run on one thread.
package final class LoopConfined<Value>: @unchecked Sendable {
    package var value: Value
    package init(_ value: Value) { self.value = value }
}
