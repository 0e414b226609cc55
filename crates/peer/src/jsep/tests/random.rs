//! Two sessions in random sequences of legal operations, with signaling that takes its time.

use super::*;
use proptest::prelude::*;
use std::collections::{BTreeSet, VecDeque};

#[derive(Clone, Copy, Debug)]
enum Op {
    AddChannel,
    RestartIce,
    /// Create and set an offer, and send it.
    Offer {
        restart: bool,
    },
    /// Create and set an offer, and think better of it.
    OfferAndRollBack,
    /// Answer the next offer provisionally first.
    Pranswer,
    Candidate,
    /// Take the next message.
    Receive,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        1 => Just(Op::AddChannel),
        1 => Just(Op::RestartIce),
        3 => any::<bool>().prop_map(|restart| Op::Offer { restart }),
        1 => Just(Op::OfferAndRollBack),
        1 => Just(Op::Pranswer),
        3 => Just(Op::Candidate),
        6 => Just(Op::Receive),
    ]
}

#[derive(Clone, Debug)]
enum Message {
    Description(SdpType, String),
    Candidate(CandidateInit),
}

/// What a transport would know: the sum of all changes.
#[derive(Debug, Default)]
struct Transport {
    local: Option<IceParameters>,
    local_candidates: BTreeSet<String>,
    remote: Option<IceParameters>,
    remote_candidates: BTreeSet<String>,
    parameters: Option<TransportParameters>,
}

struct End {
    peer: Peer,
    transport: Transport,
    inbox: VecDeque<Message>,
    polite: bool,
    ignoring: bool,
    provisional: bool,
    port: u16,
}

impl End {
    fn new(name: char, polite: bool) -> Self {
        Self {
            peer: Peer::new(name),
            transport: Transport::default(),
            inbox: VecDeque::new(),
            polite,
            ignoring: false,
            provisional: false,
            port: 1,
        }
    }

    fn apply(&mut self, change: Change) {
        let transport = &mut self.transport;
        if change.data_section_removed {
            *transport = Transport::default();
        }
        if let Some(local) = change.restored_ice.or(change.gather) {
            // Candidates of a generation that comes back are gathered anew in this model.
            if transport.local.as_ref() != Some(&local) {
                transport.local_candidates.clear();
            }
            transport.local = Some(local);
        }
        if let Some(remote) = change.remote_ice {
            assert_eq!(change.remote_ice_restarted, transport.remote.is_some());
            transport.remote = Some(remote);
            transport.remote_candidates.clear();
        }
        for candidate in change.remote_candidates {
            assert!(transport.remote_candidates.insert(candidate.to_string()), "given twice");
        }
        if change.transport.is_some() {
            transport.parameters = change.transport;
        }
    }

    fn send_offer(&mut self, restart: bool, outbox: &mut Vec<Message>) {
        if self.peer.state() == "stable" {
            let offer = if restart { self.peer.restart_offer() } else { self.peer.offer() };
            let change = self.peer.session.set_local(SdpType::Offer, &offer).unwrap();
            self.apply(change);
            outbox.push(Message::Description(SdpType::Offer, offer));
        }
    }

    fn act(&mut self, op: Op) -> Vec<Message> {
        let mut outbox = Vec::new();
        match op {
            Op::AddChannel => self.peer.session.add_data_channel(),
            Op::RestartIce => self.peer.session.request_ice_restart(),
            Op::Offer { restart } => self.send_offer(restart, &mut outbox),
            Op::OfferAndRollBack if self.peer.state() == "stable" => {
                self.send_offer(false, &mut Vec::new());
                let change = self.peer.session.set_local(SdpType::Rollback, "").unwrap();
                self.apply(change);
            }
            Op::OfferAndRollBack => {}
            Op::Pranswer => self.provisional = true,
            Op::Candidate => self.gather(&mut outbox),
            Op::Receive => {
                if let Some(message) = self.inbox.pop_front() {
                    self.receive(message, &mut outbox);
                }
            }
        }
        outbox
    }

    fn gather(&mut self, outbox: &mut Vec<Message>) {
        let Some(local) = self.transport.local.clone() else { return };
        let line = format!("candidate:1 1 udp 1 192.0.2.1 {} typ host", self.port);
        self.port += 1;
        let place =
            self.peer.session.add_local_candidate(&line, &local.ufrag).expect("the generation is in use");
        self.transport.local_candidates.insert(line.clone());
        outbox.push(Message::Candidate(CandidateInit {
            candidate: line,
            sdp_mid: Some(place.mid),
            sdp_m_line_index: Some(place.m_line_index),
            username_fragment: Some(local.ufrag),
        }));
    }

    /// Perfect negotiation, as W3C 10.7 has it.
    fn receive(&mut self, message: Message, outbox: &mut Vec<Message>) {
        match message {
            Message::Description(SdpType::Offer, sdp) => {
                let collision = self.peer.state() != "stable";
                self.ignoring = collision && !self.polite;
                if self.ignoring {
                    return;
                }
                let change = self.peer.session.set_remote(SdpType::Offer, &sdp).unwrap();
                assert_eq!(change.rolled_back, collision);
                self.apply(change);
                if std::mem::take(&mut self.provisional) {
                    let pranswer = self.peer.answer();
                    let change = self.peer.session.set_local(SdpType::Pranswer, &pranswer).unwrap();
                    self.apply(change);
                    outbox.push(Message::Description(SdpType::Pranswer, pranswer));
                }
                let (answer, change) = self.peer.set_answer();
                self.apply(change);
                outbox.push(Message::Description(SdpType::Answer, answer));
            }
            Message::Description(kind, sdp) => {
                let change = self.peer.session.set_remote(kind, &sdp).unwrap();
                self.apply(change);
            }
            Message::Candidate(init) => match self.peer.session.add_remote_candidate(&init) {
                Ok(RemoteCandidate::Add(candidate)) => {
                    assert!(self.transport.remote_candidates.insert(candidate.to_string()), "given twice");
                }
                Ok(_) => {}
                // Candidates of an offer that was withdrawn or ignored.
                Err(error) => {
                    assert!(matches!(error.kind, ErrorKind::Operation | ErrorKind::InvalidState), "{error}");
                }
            },
        }
    }
}

fn run(ops: &[(bool, Op)]) {
    let mut ends = [End::new('a', true), End::new('b', false)];
    let step = |ends: &mut [End; 2], who: usize, op: Op| {
        let sent = ends[who].act(op);
        ends[1 - who].inbox.extend(sent);
    };
    for (who, op) in ops {
        step(&mut ends, usize::from(*who), *op);
    }
    while let Some(who) = (0..2).find(|who| !ends[*who].inbox.is_empty()) {
        step(&mut ends, who, Op::Receive);
    }
    // A last round, so that what was withdrawn on one side is settled on both.
    step(&mut ends, 1, Op::Offer { restart: false });
    while let Some(who) = (0..2).find(|who| !ends[*who].inbox.is_empty()) {
        step(&mut ends, who, Op::Receive);
    }
    check(&ends[0], &ends[1]);
    check(&ends[1], &ends[0]);
}

fn check(one: &End, other: &End) {
    let (this, that) = (&one.peer.session, &other.peer.session);
    assert_eq!(one.peer.state(), "stable");
    assert_eq!(this.data_negotiated(), that.data_negotiated());
    assert_eq!(this.data_mid(), that.data_mid());
    if !this.data_negotiated() {
        return;
    }
    let (transport, peer) = (&one.transport, &other.transport);
    assert_eq!(transport.local, peer.remote);
    assert_eq!(this.local_ice(), transport.local.as_ref());
    assert!(transport.remote_candidates.is_superset(&peer.local_candidates), "{transport:?}\n{peer:?}");
    let (ours, theirs) = (transport.parameters.as_ref().unwrap(), peer.parameters.as_ref().unwrap());
    assert_eq!(ours.dtls_role, theirs.dtls_role.opposite());
    assert_ne!(ours.ice_controlling, theirs.ice_controlling);
    assert_eq!(ours.remote_fingerprints, that.config.fingerprints);
}

proptest! {
    #[test]
    fn two_sessions_agree_after_any_sequence_of_legal_operations(
        ops in prop::collection::vec((any::<bool>(), op()), 0..60),
    ) {
        run(&ops);
    }

    #[test]
    fn sessions_survive_damaged_descriptions_in_any_state(
        steps in prop::collection::vec((any::<bool>(), 0u8..8, 0usize..11, any::<u16>()), 1..20),
    ) {
        let mut peer = Peer::with_channel('a');
        for (flag, step, sample, cut) in steps {
            let (_, text) = crate::sdp::tests::samples::ALL[sample];
            let at = usize::from(cut) % text.len();
            let text = if flag { text.to_owned() } else { text[..at].to_owned() + &text[(at + 1).min(text.len())..] };
            let text = if cut % 3 == 0 { text.replace("actpass", "active") } else { text };
            let fresh = peer.fresh();
            let session = &mut peer.session;
            let _ = match step {
                0 => session.set_remote(SdpType::Offer, &text).is_ok(),
                1 => session.set_remote(SdpType::Answer, &text).is_ok(),
                2 => session.set_remote(SdpType::Pranswer, &text).is_ok(),
                3 => session.set_remote(SdpType::Rollback, "").is_ok(),
                4 => session.ensure_created(SdpType::Offer, fresh).is_ok() && session.set_local(SdpType::Offer, "").is_ok(),
                5 => session.ensure_created(SdpType::Answer, fresh).is_ok() && session.set_local(SdpType::Answer, "").is_ok(),
                6 => session.add_remote_candidate(&CandidateInit {
                    candidate: if flag { String::new() } else { "candidate:1 1 udp 1 192.0.2.1 1 typ host".to_owned() },
                    sdp_m_line_index: Some(cut % 4),
                    ..CandidateInit::default()
                }).is_ok(),
                _ => session.set_local(SdpType::Rollback, "").is_ok(),
            };
            let descriptions = [session.local_description(), session.remote_description()];
            for description in descriptions.into_iter().flatten() {
                crate::sdp::Description::parse(&description.sdp).expect("descriptions in force are valid");
            }
        }
    }
}
