import Testing
@testable import FluxCluster
