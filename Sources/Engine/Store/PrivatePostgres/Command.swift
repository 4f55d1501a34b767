#if canImport(Glibc)
    import CPostgres
    import Glibc
#else
    import Darwin
#endif

/// A program that is run to its end, from the calling thread, which waits.
///
/// It is started with `posix_spawn`, so nothing of ours runs between fork and exec. It gets a process group of its
/// own, so that a Ctrl-C at the terminal does not reach it, default signals, and the standard file descriptors alone: a
/// server that kept our sockets open would hold our port and our clients when we are gone.
struct Command: Sendable {
    var executable: String
    var arguments: [String]

    /// How a program ended and what it wrote to standard output and standard error.
    struct Outcome: Sendable {
        var status: Int32
        var output: String
        var succeeded: Bool { status == 0 }
    }

    init(_ executable: String, _ arguments: [String]) {
        self.executable = executable
        self.arguments = arguments
    }

    /// Throws `StoreError.cannotStart` when the program cannot be started.
    func run() throws(StoreError) -> Outcome {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw .cannotStart("no file descriptor left (errno \(errno))") }
        let (readEnd, writeEnd) = (ends[0], ends[1])
        defer { close(readEnd) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }

        let started = spawn(output: writeEnd)
        close(writeEnd)
        let process = try started.get()
        let output = CommandOutput.read(from: readEnd)
        var status: Int32 = 0
        while waitpid(process, &status, 0) == -1, errno == EINTR {}
        // The lower seven bits are the signal that ended it, the next eight the exit code.
        let signal = status & 0x7F
        return Outcome(status: signal == 0 ? (status >> 8) & 0xFF : 128 + signal, output: output)
    }

    private func spawn(output: Int32) -> Result<pid_t, StoreError> {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_adddup2(&actions, output, 2)
        InheritedDescriptors.close(in: &actions)

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var all = sigset_t()
        var none = sigset_t()
        sigfillset(&all)
        sigemptyset(&none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setsigmask(&attributes, &none)
        let general = Int32(POSIX_SPAWN_SETPGROUP) | Int32(POSIX_SPAWN_SETSIGDEF) | Int32(POSIX_SPAWN_SETSIGMASK)
        #if canImport(Glibc)
            let flags = general
        #else
            let flags = general | Int32(POSIX_SPAWN_CLOEXEC_DEFAULT)
        #endif
        posix_spawnattr_setflags(&attributes, Int16(truncatingIfNeeded: flags))

        var process: pid_t = 0
        let arguments: [UnsafeMutablePointer<CChar>?] = ([executable] + self.arguments).map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        let variables = ["PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C", "TZ=UTC"]
        let environment: [UnsafeMutablePointer<CChar>?] = variables.map { strdup($0) } + [nil]
        defer { for variable in environment { free(variable) } }
        let failure = posix_spawn(&process, executable, &actions, &attributes, arguments, environment)
        guard failure == 0 else {
            return .failure(.cannotStart("\(executable): \(String(cString: strerror(failure)))"))
        }
        return .success(process)
    }
}

/// Collects what a program writes, up to a bound.
enum CommandOutput {
    /// The last part is what explains a failure; 64 KiB of it are kept.
    private static let bound = 1 << 16

    static func read(from descriptor: Int32) -> String {
        var collected: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            #if canImport(Glibc)
                let count = Glibc.read(descriptor, &buffer, buffer.count)
            #else
                let count = Darwin.read(descriptor, &buffer, buffer.count)
            #endif
            if count == -1, errno == EINTR { continue }
            guard count > 0 else { break }
            collected.append(contentsOf: buffer[..<count])
            if collected.count > 2 * bound { collected.removeFirst(collected.count - bound) }
        }
        return String(decoding: collected.suffix(bound), as: UTF8.self).trimmed
    }
}
