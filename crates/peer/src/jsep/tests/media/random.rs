//! Two sessions in random sequences of rounds: whatever they do, they agree afterwards.

use super::*;
use proptest::prelude::*;

#[derive(Clone, Copy, Debug)]
enum Op {
    Add {
        video: bool,
        direction: Direction,
        by_track: bool,
    },
    Direction {
        which: usize,
        direction: Direction,
    },
    Stop {
        which: usize,
    },
    Channel,
    Restart,
    /// Offer, answer, done.
    Round,
    /// Offer, seen by the other side or not, withdrawn by both.
    RollBack {
        seen: bool,
    },
    /// Both offer at once; the other one gives in.
    Glare,
}

fn direction() -> impl Strategy<Value = Direction> {
    prop::sample::select(vec![SendRecv, SendOnly, RecvOnly, Inactive])
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => (any::<bool>(), direction(), any::<bool>()).prop_map(|(video, direction, by_track)| Op::Add { video, direction, by_track }),
        3 => (0usize..6, direction()).prop_map(|(which, direction)| Op::Direction { which, direction }),
        2 => (0usize..6).prop_map(|which| Op::Stop { which }),
        1 => Just(Op::Channel),
        1 => Just(Op::Restart),
        6 => Just(Op::Round),
        2 => any::<bool>().prop_map(|seen| Op::RollBack { seen }),
        1 => Just(Op::Glare),
    ]
}

fn apply(op: Op, peer: &mut Peer, other: &mut Peer) {
    let nth = |peer: &Peer, which: usize| peer.session.transceivers().get(which).map(|t| t.id);
    match op {
        Op::Add { video, direction, by_track } => {
            let kind = if video { Video } else { Audio };
            let init = TransceiverInit { direction, by_track, ..TransceiverInit::default() };
            peer.session.add_transceiver(kind, init).unwrap();
        }
        Op::Direction { which, direction } => {
            if let Some(id) = nth(peer, which) {
                let _ = peer.session.set_direction(id, direction);
            }
        }
        Op::Stop { which } => {
            if let Some(id) = nth(peer, which) {
                peer.session.stop_transceiver(id).unwrap();
            }
        }
        Op::Channel => peer.session.add_data_channel(),
        Op::Restart => peer.session.request_ice_restart(),
        Op::Round => {
            negotiate(peer, other);
            agree(peer, other);
        }
        Op::RollBack { seen } => {
            let before = (public(peer), public(other));
            let (offer, _) = peer.set_offer();
            if seen {
                other.remote(SdpType::Offer, &offer);
                other.remote(SdpType::Rollback, "");
            }
            peer.session.set_local(SdpType::Rollback, "").unwrap();
            assert_eq!(before, (public(peer), public(other)));
        }
        Op::Glare => {
            let (offer, _) = peer.set_offer();
            other.set_offer();
            finish(peer, other, &offer);
            agree(peer, other);
        }
    }
}

fn public(peer: &Peer) -> (Vec<Transceiver>, Vec<SectionParameters>) {
    (peer.session.transceivers(), peer.session.media_parameters())
}

/// Both sides have the same sections, and what one sends the other one receives.
fn agree(a: &Peer, b: &Peer) {
    let sdp = |peer: &Peer| peer.session.current_local_description().unwrap().sdp;
    let (of_a, of_b) = (sdp(a), sdp(b));
    judge(&of_a);
    judge(&of_b);
    assert_eq!(shape(&of_a).len(), shape(&of_b).len());
    let all = b.session.media_parameters();
    let stopping = |peer: &Peer| peer.session.transceivers().iter().filter(|t| t.stopping).count();
    let (ours, theirs) = (a.session.media_parameters().len(), all.len());
    // What one side has stopped the other side has still.
    assert!(ours + stopping(a) >= theirs && theirs + stopping(b) >= ours, "{of_a}\n{of_b}");
    for ours in a.session.media_parameters() {
        let Some(theirs) = all.iter().find(|theirs| theirs.mid == ours.mid) else { continue };
        assert_eq!(ours.kind, theirs.kind);
        for (send, receive) in [(&ours.send, &theirs.receive), (&theirs.send, &ours.receive)] {
            assert_eq!(numbers(&send.payloads), numbers(&receive.payloads));
            assert_eq!(send.extensions, receive.extensions);
            if receive.active && send.active {
                assert_eq!(receive.ssrcs[0].ssrc, send.encodings[0].ssrc);
            }
            assert!(!send.active || receive.active);
        }
    }
    for peer in [a, b] {
        let mut mids: Vec<_> = peer.session.transceivers().into_iter().filter_map(|t| t.mid).collect();
        let count = mids.len();
        mids.sort_unstable();
        mids.dedup();
        assert_eq!(mids.len(), count, "mids are unique");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn two_sessions_agree_whatever_they_do(ops in prop::collection::vec((any::<bool>(), op()), 1..24)) {
        let (mut a, mut b) = (media('a'), media('b'));
        for (first, op) in ops {
            let (peer, other) = if first { (&mut a, &mut b) } else { (&mut b, &mut a) };
            apply(op, peer, other);
        }
        // After enough rounds nobody wants another one.
        for _ in 0..3 {
            negotiate(&mut a, &mut b);
            negotiate(&mut b, &mut a);
        }
        prop_assert!(!a.session.negotiation_needed() && !b.session.negotiation_needed());
    }

    #[test]
    fn no_offer_makes_a_session_with_codecs_panic(
        (sample, edits) in (0..crate::sdp::tests::samples::media::ALL.len(), prop::collection::vec((any::<u8>(), any::<u16>(), any::<char>()), 1..12)),
    ) {
        let text = crate::sdp::tests::properties::mutate(crate::sdp::tests::samples::media::ALL[sample].1, &edits);
        let mut b = media('b');
        b.track(Audio);
        if b.session.set_remote(SdpType::Offer, &text).is_ok() {
            b.set_answer();
            let (offer, _) = b.set_offer();
            prop_assert!(Description::parse(&offer).is_ok());
        }
    }
}
