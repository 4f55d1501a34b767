import Foundation

/// Programs that a test runs to their end.
///
/// The test waits without holding a thread of Swift's cooperative pool. There are as many of those as processors, and what
/// the program talks to may need one: a few tests that block them at once would wait for ever.
public enum ChildProcess {
    /// How a program ended, and what it wrote to standard output.
    public struct Outcome: Sendable {
        public var status: Int32
        public var output: String
    }

    /// Runs a program of the PATH and returns when it has ended. What it writes to standard error is shown, unless it
    /// `isQuiet`.
    public static func run(_ arguments: [String], isQuiet: Bool = false) async throws -> Outcome {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(with: Result { try runHere(arguments, isQuiet: isQuiet) })
            }
        }
    }

    private static func runHere(_ arguments: [String], isQuiet: Bool) throws -> Outcome {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        if isQuiet { process.standardError = FileHandle.nullDevice }
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return Outcome(status: process.terminationStatus, output: output)
    }
}
