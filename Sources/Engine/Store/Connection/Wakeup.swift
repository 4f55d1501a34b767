#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Lets one thread that waits on a socket be woken by others: a pipe whose reading end is watched together with the
/// socket. Wake-ups that come before the wait are not lost; several become one.
final class Wakeup: Sendable {
    private let readEnd: Int32
    private let writeEnd: Int32

    /// Throws `StoreError.unavailable` when the process has no file descriptors left.
    init() throws(StoreError) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw .unavailable("no file descriptor left (errno \(errno))") }
        (readEnd, writeEnd) = (ends[0], ends[1])
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
    }

    deinit {
        close(readEnd)
        close(writeEnd)
    }

    /// Wakes the thread that waits, or makes its next wait return at once.
    func wake() {
        var byte: UInt8 = 1
        // A full pipe refuses the byte; the waiter is then going to wake anyway.
        _ = write(writeEnd, &byte, 1)
    }

    /// Waits until `wake`, until something happens on `socket`, or for `timeout`; nil waits without end.
    func wait(orReadable socket: Int32?, for timeout: Duration?) {
        var descriptors = [pollfd(fd: readEnd, events: Int16(POLLIN), revents: 0)]
        if let socket { descriptors.append(pollfd(fd: socket, events: Int16(POLLIN), revents: 0)) }
        let milliseconds = timeout.map { Int32(clamping: $0.wholeMilliseconds + 1) } ?? -1
        guard poll(&descriptors, nfds_t(descriptors.count), milliseconds) > 0, descriptors[0].revents != 0 else {
            return
        }
        var bytes = [UInt8](repeating: 0, count: 256)
        while read(readEnd, &bytes, bytes.count) == bytes.count {}
    }
}
