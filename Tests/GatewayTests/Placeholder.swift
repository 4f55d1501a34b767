import Testing
@testable import FluxGateway
