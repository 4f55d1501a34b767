import Testing
@testable import FluxAPI
