//! How one end gets to know that the other has given the handshake up.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use ossa_peer::*;

use crate::net::*;

const BAD_CERTIFICATE: u8 = 42;
const HANDSHAKE_FAILURE: u8 = 40;

/// A fatal alert in the clear: handshake_failure.
const FORGED: [u8; 15] = [21, 0xFE, 0xFD, 0, 0, 0, 0, 0, 0, 0, 9, 0, 2, 2, 40];

fn with_versions(versions: [DtlsVersions; 2]) -> Net {
    let [mut a, mut b] = [config(0), config(1)];
    // Here it matters what happens to datagrams of DTLS by themselves.
    (a.dtls.in_checks, b.dtls.in_checks) = (false, false);
    a.dtls.versions = versions[0];
    b.dtls.versions = versions[1];
    let mut net = Net::with(a, b);
    net.channel(0, DataChannelInit::default());
    net
}

/// Negotiates, and tells one end the wrong fingerprint of the other one's certificate. Node 1 is the client of DTLS.
fn deceive(net: &mut Net, deceived: usize) {
    let swap = |sdp: &str| {
        let [genuine, other] = [1 - deceived, deceived].map(|i| certificate(i).fingerprints()[0].to_string());
        assert!(sdp.contains(&genuine));
        sdp.replace(&genuine, &other)
    };
    let offer = net.set_local(0, SdpType::Offer);
    net.set_remote(1, SdpType::Offer, &if deceived == 1 { swap(&offer) } else { offer });
    let answer = net.set_local(1, SdpType::Answer);
    net.settle();
    net.set_remote(0, SdpType::Answer, &if deceived == 0 { swap(&answer) } else { answer });
}

fn dtls_error(net: &Net, node: usize) -> RtcError {
    let error = net.nodes[node].events.iter().find_map(|event| match event {
        Event::DtlsState { state: DtlsState::Failed, error, .. } => error.clone(),
        _ => None,
    });
    error.unwrap_or_else(|| panic!("DTLS of node {node} has not failed: {}", net.describe()))
}

fn both_failed(net: &Net) -> bool {
    (0..2).all(|node| net.state(node) == ConnectionState::Failed)
}

fn is_connected(net: &Net, node: usize) -> bool {
    let states = &net.nodes[node].events;
    states.iter().any(|event| matches!(event, Event::DtlsState { state: DtlsState::Connected, .. }))
}

#[test]
fn the_other_end_of_a_wrong_certificate_is_told_under_the_keys_of_dtls_1_3() {
    for deceived in 0..2 {
        let mut net = with_versions([DtlsVersions::Auto; 2]);
        deceive(&mut net, deceived);
        net.until_within(Duration::from_millis(500), "failed at both ends", both_failed);
        let error = dtls_error(&net, deceived);
        assert_eq!(
            (error.detail, error.sent_alert),
            (ErrorDetail::FingerprintFailure, Some(BAD_CERTIFICATE)),
            "{error:?}"
        );
        let error = dtls_error(&net, 1 - deceived);
        assert_eq!(error.received_alert, Some(BAD_CERTIFICATE), "{error:?}");
        assert!(!is_connected(&net, deceived));
        // A server learns of it before its side of the handshake is complete. A client has sent the last flight already.
        assert_eq!(is_connected(&net, 1 - deceived), deceived == 0);
    }
}

#[test]
fn the_other_end_of_a_wrong_certificate_is_told_in_the_clear_before_there_are_keys() {
    for deceived in 0..2 {
        let mut net = with_versions([DtlsVersions::V1_2; 2]);
        deceive(&mut net, deceived);
        net.until_within(Duration::from_secs(2), "failed at both ends", both_failed);
        assert_eq!(dtls_error(&net, deceived).sent_alert, Some(BAD_CERTIFICATE));
        assert_eq!(dtls_error(&net, 1 - deceived).received_alert, Some(BAD_CERTIFICATE));
        assert!(!is_connected(&net, 0) && !is_connected(&net, 1));
    }
}

#[test]
fn nothing_of_our_certificate_is_shown_to_an_end_whose_own_is_wrong() {
    // In DTLS 1.3 certificates are encrypted, so only the end that has the keys can tell: it must get alerts only.
    let mut net = with_versions([DtlsVersions::Auto; 2]);
    deceive(&mut net, 1);
    net.until("failed", both_failed);
    let remote = net.nodes[0].events.iter().any(|event| match event {
        Event::DtlsState { remote_certificates, .. } => !remote_certificates.is_empty(),
        _ => false,
    });
    assert!(!remote);
}

#[test]
fn an_alert_that_is_lost_is_sent_again_when_the_peer_repeats_itself() {
    for versions in [DtlsVersions::V1_2, DtlsVersions::Auto] {
        let mut net = with_versions([versions; 2]);
        deceive(&mut net, 1);
        // The client's first datagram after the server's flight holds the alert.
        let (asked, lost) = (Rc::new(RefCell::new(0)), Rc::new(RefCell::new(0)));
        let count = lost.clone();
        net.tap = Some(Box::new(move |node, data| {
            if node == 0 && (20..64).contains(&data[0]) {
                *asked.borrow_mut() += 1;
            }
            let is_alert = node == 1 && *asked.borrow() > 0 && (20..64).contains(&data[0]);
            if is_alert && *count.borrow() < 2 {
                *count.borrow_mut() += 1;
                return false;
            }
            true
        }));
        net.until_within(Duration::from_secs(10), "failed at both ends", both_failed);
        assert_eq!(*lost.borrow(), 2);
        assert_eq!(dtls_error(&net, 0).received_alert, Some(BAD_CERTIFICATE), "{versions:?}");
    }
}

#[test]
fn a_client_that_offers_nothing_we_know_is_told() {
    for versions in [[DtlsVersions::V1_3, DtlsVersions::V1_2], [DtlsVersions::V1_2, DtlsVersions::V1_3]] {
        let mut net = with_versions(versions);
        net.negotiate(0);
        net.until_within(Duration::from_secs(3), "failed", |net| net.state(1) == ConnectionState::Failed);
        assert_eq!(dtls_error(&net, 1).received_alert, Some(HANDSHAKE_FAILURE), "{versions:?}");
        // Anybody could have sent that hello, so the server waits for a better one.
        assert_eq!(net.state(0), ConnectionState::Connecting);
    }
}

/// Puts a forged alert in front of everything that the nodes receive of each other.
fn forge(net: &mut Net) {
    for node in 0..2 {
        let (to, from) = (net.nodes[node].addrs[0], net.nodes[1 - node].addrs[0]);
        net.nodes[node].conn.handle_datagram(net.now, to, from, &FORGED);
    }
}

#[test]
fn forged_alerts_do_not_end_a_handshake_that_goes_on() {
    for versions in [DtlsVersions::V1_2, DtlsVersions::Auto] {
        let mut net = with_versions([versions; 2]);
        net.link.delay = Duration::from_millis(150);
        net.negotiate(0);
        for _ in 0..600 {
            forge(&mut net);
            net.run(Duration::from_millis(10));
        }
        assert_eq!([net.state(0), net.state(1)], [ConnectionState::Connected; 2], "{versions:?}");
        net.open_channel(DataChannelInit { label: "after".to_owned(), ..DataChannelInit::default() });
    }
}

#[test]
fn an_end_that_only_says_an_alert_is_believed() {
    let mut net = with_versions([DtlsVersions::Auto; 2]);
    // The client's messages get lost, and a real stack on the other side would have refused them.
    net.tap = Some(Box::new(|_, data| !(20..64).contains(&data[0])));
    net.negotiate(0);
    net.until("checked", |net| {
        net.nodes[1].conn.snapshot().dtls.is_some_and(|d| d.state == DtlsState::Connecting)
    });
    forge(&mut net);
    net.until_within(Duration::from_secs(2), "failed", |net| net.state(1) == ConnectionState::Failed);
    assert_eq!(dtls_error(&net, 1).received_alert, Some(40));
}
