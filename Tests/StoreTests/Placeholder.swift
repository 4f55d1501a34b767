import Testing

@testable import FluxStore
