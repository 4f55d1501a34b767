import Testing

/// Tests that use the whole machine, one after the other: whole nodes under load with faults.
@Suite(.serialized) enum HeavyTests {}
