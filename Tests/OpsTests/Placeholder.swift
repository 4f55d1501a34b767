import Testing
@testable import FluxOps
