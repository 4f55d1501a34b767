import FluxCore

/// What tests draw from: the same numbers for the same seed on every machine, so that a failing input can be made again.
public typealias SeededGenerator = SplitMix64
