import Testing
@testable import FluxRealtime
