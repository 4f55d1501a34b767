import FluxCluster
import FluxCore

/// Tells the actor system what actors there are, how they are made, and what their calls do.
enum ActorRegistration {
    static func register(_ services: EngineServices) {
        let system = services.system
        system.register(failure: APIError.self)
        system.register(.guild) { address, epoch, _ in
            try await GuildActor.activate(address, epoch: epoch, services: services)
        }
        system.register(.channel) { address, epoch, executor in
            try await ChannelActor.activate(address, epoch: epoch, executor: executor, services: services)
        }
        system.register(.user) { address, epoch, _ in
            try await UserActor.activate(address, epoch: epoch, services: services)
        }
        system.register(.budget) { _, _, _ in BudgetActor(clock: services.clock, system: services.system) }
        system.register(.session, node: { NodeID(rawValue: SessionKey(rawValue: $0).nodeID) })
        registerCalls(system)
    }

    private static func registerCalls(_ system: ClusterActorSystem) {
        system.register(ChannelCalls.send) { channel, request, respond in
            channel.accept(
                PendingSend(
                    caller: request.caller, body: request.body, attachments: [], enforcesNonce: true,
                    countsAgainstLimit: true,
                    answer: { result in
                        switch result {
                        case .success(let message):
                            respond(Sent(id: message.id, sequence: message.seq, epoch: message.epoch))
                        case .failure(let error): respond.fail(error)
                        }
                    }))
        }
        system.register(ChannelCalls.budget) { channel, request, respond in
            respond(BudgetReply(channel.takeBudget(request)))
        }
        system.register(BudgetCalls.lend) { budget, request, respond in respond(budget.lend(request)) }
        system.register(ChannelCalls.relationshipsChanged) { channel, _, respond in
            channel.relationshipsChanged()
            respond(Nothing())
        }
        system.register(GuildCalls.unwatch) { guild, ended, respond in
            guild.unwatch(ended.userID, on: ended.node)
            respond(Nothing())
        }
        system.register(GuildCalls.watch) { guild, began, respond in
            guild.watch(began.userID, on: began.node)
            respond(Nothing())
        }
        system.register(GuildCalls.register) { guild, request, respond in guild.register(request, respond) }
        system.register(UserCalls.register) { user, request, respond in respond(user.register(request)) }
        system.register(GuildCalls.presence) { guild, presence, respond in
            guild.receive(presence.presence)
            respond(Nothing())
        }
        system.register(GuildCalls.outbox) { guild, _, respond in
            Task {
                await guild.takeFromOutbox()
                respond(Nothing())
            }
        }
        system.register(UserCalls.session) { user, news, respond in
            user.heard(news)
            respond(Nothing())
        }
        system.register(UserCalls.whereabouts) { user, question, respond in
            respond(SessionWhereabouts(node: user.presence.node(of: question.session)))
        }
        system.register(UserCalls.directEvent) { user, event, respond in
            user.receive(event)
            respond(Nothing())
        }
        system.register(UserCalls.directHead) { user, head, respond in
            user.heard(head)
            respond(Nothing())
        }
        system.register(ChannelCalls.missed) { channel, question, respond in channel.missed(question, respond) }
        system.register(UserCalls.friendPresence) { user, presence, respond in
            user.receive(presence.presence)
            respond(Nothing())
        }
        system.register(UserCalls.outbox) { user, _, respond in
            Task {
                await user.takeFromOutbox()
                respond(Nothing())
            }
        }
        system.register(UserCalls.presence) { user, question, respond in
            respond(MemberPresence(user.presence(shownTo: question.asker)))
        }
        system.register(UserCalls.presenceInGuild) { user, question, respond in
            respond(MemberPresence(user.presence(shownIn: question.guildID)))
        }
        system.register(UserCalls.receipt) { user, news, respond in
            user.receive(news.receipt)
            respond(Nothing())
        }
        system.register(UserCalls.sent) { user, mark, respond in
            user.sent(mark)
            respond(Nothing())
        }
    }
}

extension APIError {
    /// What a caller outside of the engine is told of a call that got no answer.
    init(_ error: CallError) {
        switch error {
        case .refused(let failure as APIError): self = failure
        case .overloaded, .notOwner: self = .notCommitted
        default: self = .serviceUnavailable
        }
    }
}
