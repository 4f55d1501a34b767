import NIOCore

/// The machine's monotonic clock, in nanoseconds: the same for all processes of it.
enum Clock {
    @inline(__always)
    static var now: UInt64 { NIODeadline.now().uptimeNanoseconds }

    /// The nanoseconds between two moments; 0 if the second was noted before the first.
    @inline(__always)
    static func elapsed(_ from: UInt64, _ to: UInt64) -> UInt64 { to > from ? to - from : 0 }
}
