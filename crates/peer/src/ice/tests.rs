//! What an ICE transport makes of messages of a peer that knows the credentials and means no good.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use is::stun::{StunMessage, TransId};
use is::{DefaultSha1HmacProvider, Sha1HmacProvider};

use super::*;
use crate::config::{IceConfig, IceTransportPolicy};
use crate::jsep::IceParameters;
use crate::sdp::CandidateProtocol;
use crate::states::{IceRole, IceState};

const HOST: &str = "10.0.0.1:1000";

#[allow(clippy::disallowed_methods)]
fn start() -> Instant {
    Instant::now()
}

fn parameters(ufrag: &str) -> IceParameters {
    IceParameters { ufrag: ufrag.to_owned(), pwd: format!("{ufrag}-password-password"), ice_lite: false }
}

fn transport(now: Instant, controlling: bool, tie_breaker: u64) -> IceTransport {
    let mut ice = IceTransport::new(IceConfig::default(), IceTransportPolicy::All, tie_breaker, false);
    ice.set_controlling(controlling);
    let number = ice.begin(now, parameters("ours"));
    let generation = ice.generation_mut(number).unwrap();
    generation.add_local(now, host_candidate());
    generation.set_remote(now, parameters("theirs"));
    ice
}

fn host_candidate() -> LocalCandidate {
    let host: SocketAddr = HOST.parse().unwrap();
    let kind = LocalCandidateKind::Host;
    LocalCandidate { kind, addr: host, base: host, url: None, relay_protocol: None }
}

fn udp(local: SocketAddr, remote: SocketAddr) -> Path {
    Path { protocol: CandidateProtocol::Udp, local, remote }
}

/// A check with another USERNAME: the agent's library writes no long ones.
fn renamed(message: &[u8], user: &str) -> Vec<u8> {
    renamed_with(message, user, &parameters("ours").pwd)
}

fn renamed_with(message: &[u8], user: &str, pwd: &str) -> Vec<u8> {
    rewrite::renamed(message, user, pwd).unwrap()
}

fn written(message: StunMessage<'_>, pwd: &str) -> Vec<u8> {
    let mut buf = vec![0; 600];
    let hmac = |key: &[u8], parts: &[&[u8]]| DefaultSha1HmacProvider.sha1_hmac(key, parts);
    let n = message.to_bytes(Some(pwd.as_bytes()), &mut buf, hmac).unwrap();
    buf.truncate(n);
    buf
}

fn check(controlling: bool, tie_breaker: u64) -> Vec<u8> {
    let user = "ours:theirs";
    let request = StunMessage::binding_request(user, TransId::new(), controlling, tie_breaker, 7, false);
    written(request, &parameters("ours").pwd)
}

#[test]
fn checks_from_ever_new_addresses_make_a_bounded_number_of_pairs() {
    let now = start();
    let mut ice = transport(now, true, 1);
    let mut accepted = 0;
    for i in 0..20_000u32 {
        let from = SocketAddr::from(([192, 0, (i >> 8) as u8, i as u8], 5000));
        accepted += u32::from(ice.handle_stun(now, udp(HOST.parse().unwrap(), from), &check(false, 2)));
        while ice.poll_outgoing().is_some() {}
    }
    assert_eq!(accepted, 128);
    assert!(ice.pairs.iter().count() <= 128);
    let first = SocketAddr::from(([192, 0, 0, 0], 5000));
    assert!(
        ice.handle_stun(now, udp(HOST.parse().unwrap(), first), &check(false, 2)),
        "known ones are served on"
    );
}

#[test]
fn answers_with_ever_new_addresses_are_ignored_in_the_end() {
    let mut now = start();
    let mut ice = transport(now, true, 1);
    let (host, peer): (SocketAddr, SocketAddr) = (HOST.parse().unwrap(), "192.0.2.1:5000".parse().unwrap());
    assert!(ice.handle_stun(now, udp(host, peer), &check(false, 2)));
    ice.pump(now);
    let mut accepted = HashSet::new();
    for i in 0..2000u32 {
        while let Some(datagram) = ice.poll_outgoing() {
            let Ok(request) = StunMessage::parse(&datagram.payload) else { continue };
            if !request.is_binding_request() {
                continue;
            }
            let mapped = SocketAddr::from(([198, 51, (i >> 8) as u8, i as u8], 9));
            let answer = StunMessage::binding_reply(request.trans_id(), mapped);
            let answer = written(answer, &parameters("theirs").pwd);
            if ice.handle_stun(now, udp(host, peer), &answer) {
                accepted.insert(mapped);
                ice.pump(now);
            }
        }
        now += Duration::from_millis(2500);
        ice.handle_timeout(now);
    }
    assert_eq!(accepted.len(), 64);
}

#[test]
fn a_role_conflict_is_won_by_the_larger_tie_breaker() {
    for (ours, theirs, controlling_after) in [(5, 9, false), (9, 5, true)] {
        let now = start();
        let mut ice = transport(now, true, ours);
        ice.handle_stun(
            now,
            udp(HOST.parse().unwrap(), "192.0.2.1:5000".parse().unwrap()),
            &check(true, theirs),
        );
        assert_eq!(ice.role() == IceRole::Controlling, controlling_after);
    }
}

#[test]
fn a_check_with_the_wrong_password_or_name_is_ignored() {
    let now = start();
    let mut ice = transport(now, true, 1);
    let (host, peer): (SocketAddr, SocketAddr) = (HOST.parse().unwrap(), "192.0.2.1:5000".parse().unwrap());
    let with = |user: &str, pwd: &str| {
        written(StunMessage::binding_request(user, TransId::new(), false, 2, 7, true), pwd)
    };
    let pwd = parameters("ours").pwd;
    assert!(!ice.handle_stun(now, udp(host, peer), &with("ours:theirs", "guessed-guessed-guessed")));
    assert!(!ice.handle_stun(now, udp(host, peer), &with("ours:others", &pwd)));
    assert!(!ice.handle_stun(now, udp(host, peer), &with("other:theirs", &pwd)));
    assert!(!ice.pairs.datagram_received(now, udp(host, peer), 10), "nor does it open the way for data");
    assert!(ice.handle_stun(now, udp(host, peer), &with("ours:theirs", &pwd)));
    assert!(ice.pairs.datagram_received(now, udp(host, peer), 10));
}

/// What the transport sends to `peer`, as messages.
fn sent(ice: &mut IceTransport) -> Vec<Vec<u8>> {
    std::iter::from_fn(|| ice.poll_outgoing()).map(|datagram| datagram.payload).collect()
}

#[test]
fn a_peer_may_have_a_user_name_of_up_to_256_characters() {
    let (host, peer): (SocketAddr, SocketAddr) = (HOST.parse().unwrap(), "192.0.2.1:5000".parse().unwrap());
    let hmac = |key: &[u8], parts: &[&[u8]]| DefaultSha1HmacProvider.sha1_hmac(key, parts);
    for length in [4, 99, 100, 101, 119, 120, 128, 129, 200, 255, 256] {
        for early in [false, true] {
            let now = start();
            let mut ice = IceTransport::new(IceConfig::default(), IceTransportPolicy::All, 7, false);
            ice.set_controlling(true);
            let number = ice.begin(now, parameters("ours"));
            let generation = ice.generation_mut(number).unwrap();
            generation.add_local(now, host_candidate());
            let theirs = IceParameters { ufrag: "u".repeat(length), ..parameters("theirs") };
            let request = |user: &str| {
                let message = StunMessage::binding_request(user, TransId::new(), false, 2, 7, false);
                renamed(&written(message, &parameters("ours").pwd), &format!("ours:{}", theirs.ufrag))
            };
            if early {
                assert!(
                    ice.handle_stun(now, udp(host, peer), &request("ours:u")),
                    "before the answer, {length}"
                );
            }
            ice.generation_mut(number).unwrap().set_remote(now, theirs.clone());
            ice.kick(now);
            if !early {
                assert!(ice.handle_stun(now, udp(host, peer), &request("ours:u")), "after it, {length}");
            }
            ice.pump(now);
            // What was kept from before the answer is answered one a tick.
            ice.handle_timeout(now + IceConfig::default().check_interval);
            let messages = sent(&mut ice);
            let parsed: Vec<_> = messages.iter().map(|bytes| StunMessage::parse(bytes).unwrap()).collect();
            assert!(
                parsed.iter().any(|message| message.is_successful_binding_response()),
                "answered, {length}"
            );
            let check = parsed.iter().find(|message| message.is_binding_request()).expect("a check");
            assert_eq!(check.username(), Some(format!("{}:ours", theirs.ufrag).as_str()));
            assert!(check.verify(theirs.pwd.as_bytes(), hmac), "authenticated, {length}");
            assert_eq!((check.prio().is_some(), check.ice_controlling()), (true, Some(7)));
            let answer = written(StunMessage::binding_reply(check.trans_id(), host), &theirs.pwd);
            assert!(ice.handle_stun(now, udp(host, peer), &answer));
            ice.pump(now);
            assert!(ice.can_send(), "the pair works, {length}");
        }
    }
}

#[test]
fn a_long_user_name_must_be_the_right_one_to_the_last_character() {
    let now = start();
    let (host, peer): (SocketAddr, SocketAddr) = (HOST.parse().unwrap(), "192.0.2.1:5000".parse().unwrap());
    let mut ice = transport(now, true, 1);
    let long = "u".repeat(256);
    let theirs = IceParameters { ufrag: long.clone(), ..parameters("theirs") };
    ice.newest_mut().unwrap().set_remote(now, theirs);
    let with = |user: &str, pwd: &str| {
        let message = StunMessage::binding_request("ours:u", TransId::new(), false, 2, 7, true);
        renamed_with(&written(message, pwd), user, pwd)
    };
    let pwd = parameters("ours").pwd;
    assert!(!ice.handle_stun(now, udp(host, peer), &with(&format!("ours:{}v", "u".repeat(255)), &pwd)));
    assert!(!ice.handle_stun(now, udp(host, peer), &with(&format!("ours:{}", "u".repeat(255)), &pwd)));
    assert!(!ice.handle_stun(now, udp(host, peer), &with(&format!("other:{long}"), &pwd)));
    assert!(!ice.handle_stun(
        now,
        udp(host, peer),
        &with(&format!("ours:{long}"), "guessed-guessed-guessed")
    ));
    assert!(!ice.pairs.datagram_received(now, udp(host, peer), 10), "nor does it open the way for data");
    assert!(ice.handle_stun(now, udp(host, peer), &with(&format!("ours:{long}"), &pwd)));
}

/// Answers all checks until there are no more of them, as the peer at all of its addresses.
fn answer_all(ice: &mut IceTransport, now: &mut Instant) {
    for _ in 0..20 {
        ice.pump(*now);
        for datagram in std::iter::from_fn(|| ice.poll_outgoing()).collect::<Vec<_>>() {
            let Ok(request) = StunMessage::parse(&datagram.payload) else { continue };
            if request.is_binding_request() {
                let answer = StunMessage::binding_reply(request.trans_id(), HOST.parse().unwrap());
                let answer = written(answer, &parameters("theirs").pwd);
                assert!(ice.handle_stun(*now, datagram.path, &answer));
            }
        }
        *now += Duration::from_millis(50);
        ice.handle_timeout(*now);
    }
}

#[test]
fn a_relay_that_is_heard_before_it_is_told_of_does_not_win_over_a_direct_path() {
    let mut now = start();
    let mut ice = transport(now, true, 1);
    let (relay, direct) = ("198.51.100.1:50000", "192.0.2.1:5000");
    // RFC 8445, section 7.1.1: the priority of a peer-reflexive candidate, whatever it comes from.
    let request = StunMessage::binding_request("ours:theirs", TransId::new(), false, 2, 110 << 24, false);
    let request = written(request, &parameters("ours").pwd);
    assert!(ice.handle_stun(now, udp(HOST.parse().unwrap(), relay.parse().unwrap()), &request));
    answer_all(&mut ice, &mut now);
    assert_eq!(ice.route().unwrap().path.remote.to_string(), relay, "it works, so it is used");
    for line in [
        format!("candidate:1 1 udp 41885439 {} typ relay raddr 0.0.0.0 rport 0", relay.replace(':', " ")),
        format!("candidate:2 1 udp 1686052607 {} typ srflx raddr 0.0.0.0 rport 0", direct.replace(':', " ")),
    ] {
        let candidate = crate::sdp::Candidate::parse(&line).unwrap();
        let ip = candidate.address.ip().unwrap();
        ice.newest_mut().unwrap().add_remote(now, &candidate, ip, "0");
    }
    answer_all(&mut ice, &mut now);
    assert_eq!(ice.route().unwrap().path.remote.to_string(), direct);
    let used = ice.route_pair().unwrap();
    assert!(used.nominated, "and the peer is told so");
}

#[test]
fn nobody_can_make_us_connect_to_the_ports_of_other_protocols() {
    let now = start();
    let mut ice = transport(now, true, 1);
    for (port, remembered) in [(25, 0), (6667, 0), (8001, 1)] {
        let line = format!("candidate:1 1 tcp 1518214911 192.0.2.1 {port} typ host tcptype passive");
        let candidate = crate::sdp::Candidate::parse(&line).unwrap();
        let ip = candidate.address.ip().unwrap();
        let generation = ice.newest_mut().unwrap();
        generation.add_remote(now, &candidate, ip, "0");
        assert_eq!(generation.remotes.len(), remembered, "{port}");
    }
}

#[test]
fn the_end_of_the_peers_tcp_connection_is_an_interruption_at_once_and_over_with_its_next_one() {
    let mut now = start();
    let mut ice = transport(now, true, 1);
    let local: SocketAddr = "10.0.0.1:1001".parse().unwrap();
    let passive =
        LocalCandidate { kind: LocalCandidateKind::TcpPassive, addr: local, base: local, ..host_candidate() };
    ice.newest_mut().unwrap().add_local(now, passive);
    let from =
        |remote: &str| Path { protocol: CandidateProtocol::Tcp, local, remote: remote.parse().unwrap() };
    let (first, second) = (from("192.0.2.1:40000"), from("192.0.2.1:40001"));
    assert!(ice.handle_stun(now, first, &check(false, 2)));
    answer_all(&mut ice, &mut now);
    assert_eq!(ice.route().map(|route| route.path), Some(first));
    assert_eq!(ice.state(now), IceState::Connected);
    ice.tcp_closed(now, first);
    assert_eq!(ice.state(now), IceState::Disconnected);
    assert!(ice.handle_stun(now, second, &check(false, 2)));
    answer_all(&mut ice, &mut now);
    assert_eq!(ice.route().map(|route| route.path), Some(second));
    assert_eq!(ice.state(now), IceState::Connected);
}
