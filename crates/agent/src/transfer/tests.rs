use std::collections::VecDeque;
use std::time::Duration;

use proptest::prelude::*;

use super::wire::{Control, parse, write};
use super::*;
use crate::error::{AgentError, code};
use crate::testing::epoch;

const WINDOW: u64 = 1 << 20;
const PIECE: u64 = 256 * 1024;

fn sum(seed: char) -> String {
    seed.to_string().repeat(64)
}

fn offer(size: Option<u64>) -> FileOffer {
    FileOffer {
        version: 1,
        id: "1".into(),
        name: "a.bin".into(),
        media_type: None,
        size,
        modified: Some(5),
        head: Some(sum('d')),
        resumable: size.is_some(),
        timeout: 10_000,
        metadata: None,
        traceparent: None,
        tracestate: None,
    }
}

/// Both sides up to the acceptance, which proposes `offset`.
fn accepted(size: Option<u64>, offset: u64) -> (FileSender, FileReceiver) {
    let now = epoch();
    let (mut sender, text) = FileSender::new(offer(size), now).unwrap();
    let mut receiver = FileReceiver::new(WINDOW, Duration::from_secs(60), now);
    assert!(matches!(receiver.receive(&text, now), ReceiverEvent::Offer(offer) if offer.name == "a.bin"));
    assert!(matches!(sender.receive(&receiver.prepare().unwrap()), SenderEvent::Preparing));
    let text = receiver.accept(offset, (offset > 0).then(|| sum('a'))).unwrap();
    let SenderEvent::Accepted { offset: proposed, sha256 } = sender.receive(&text) else { panic!("{text}") };
    assert_eq!((proposed, sha256.is_some()), (offset, offset > 0));
    (sender, receiver)
}

/// Both sides while bytes flow.
fn flowing(size: Option<u64>) -> (FileSender, FileReceiver) {
    let (mut sender, mut receiver) = accepted(size, 0);
    let (_, text) = sender.start(true).unwrap();
    assert!(matches!(receiver.receive(&text, epoch()), ReceiverEvent::Start { offset: 0 }));
    (sender, receiver)
}

/// Sends the rest of a file of `size` bytes, with `reads` deciding how much is written in between.
fn flow(
    sender: &mut FileSender,
    receiver: &mut FileReceiver,
    from: u64,
    size: u64,
    writes: &mut dyn Iterator<Item = u64>,
) {
    let (mut sent, mut written) = (from, from);
    let mut way: VecDeque<u64> = VecDeque::new();
    while written < size {
        let piece = PIECE.min(size - sent);
        if piece > 0 && sender.allowance() >= piece {
            sender.sent(piece).unwrap();
            sent += piece;
            way.push_back(piece);
        } else {
            while let Some(piece) = way.pop_front() {
                receiver.data(piece).unwrap();
            }
            let step = writes.next().unwrap_or(u64::MAX).max(1);
            written = written.saturating_add(step).min(sent);
            if let Some(credit) = receiver.written(written) {
                assert!(
                    matches!(sender.receive(&credit), SenderEvent::Credit { written: told } if told == written)
                );
            }
        }
        assert!(sent - written <= WINDOW, "{} bytes wait to be written", sent - written);
    }
}

fn failure(event: SenderEvent) -> Failure {
    let SenderEvent::Failed(failure) = event else { panic!("{event:?}") };
    failure
}

#[test]
fn a_file_arrives_within_the_window_and_both_sides_agree_that_it_has() {
    let size = 10_000_001;
    let (mut sender, mut receiver) = flowing(Some(size));
    flow(&mut sender, &mut receiver, 0, size, &mut std::iter::empty());
    let finish = sender.finish(sum('b')).unwrap();
    assert!(matches!(receiver.receive(&finish, epoch()), ReceiverEvent::Finish));
    let Verdict::Complete(done) = receiver.complete(&sum('b')).unwrap() else { panic!() };
    assert!(matches!(sender.receive(&done), SenderEvent::Done));
    assert!(sender.poll_timeout().is_none() && receiver.poll_timeout().is_none());
}

#[test]
fn an_empty_file_and_a_stream_of_unknown_size_arrive() {
    for (offered, size) in [(Some(0), 0), (None, 0), (None, 5_000_000)] {
        let (mut sender, mut receiver) = flowing(offered);
        flow(&mut sender, &mut receiver, 0, size, &mut std::iter::empty());
        let finish = sender.finish(sum('b')).unwrap();
        assert!(matches!(receiver.receive(&finish, epoch()), ReceiverEvent::Finish));
        assert!(matches!(receiver.complete(&sum('b')).unwrap(), Verdict::Complete(_)));
    }
}

#[test]
fn a_file_goes_on_where_it_was_if_that_was_verified_and_starts_anew_if_not() {
    for (verified, from) in [(true, 3_000_000), (false, 0)] {
        let (mut sender, mut receiver) = accepted(Some(4_000_000), 3_000_000);
        let (offset, text) = sender.start(verified).unwrap();
        assert_eq!(offset, from);
        assert!(
            matches!(receiver.receive(&text, epoch()), ReceiverEvent::Start { offset } if offset == from)
        );
        flow(&mut sender, &mut receiver, from, 4_000_000, &mut std::iter::empty());
        sender.finish(sum('b')).unwrap();
    }
}

#[test]
fn a_damaged_file_fails_on_both_sides() {
    let (mut sender, mut receiver) = flowing(Some(0));
    let finish = sender.finish(sum('b')).unwrap();
    assert!(matches!(receiver.receive(&finish, epoch()), ReceiverEvent::Finish));
    let Verdict::Damaged(here) = receiver.complete(&sum('c')).unwrap() else { panic!() };
    let there = failure(sender.receive(&here.tell.unwrap()));
    assert_eq!(
        (here.error.code.as_str(), there.error.code.as_str()),
        (code::CAPABILITY_FAILED, code::CAPABILITY_FAILED)
    );
    assert!(there.error.message.contains("SHA-256") && there.error.retryable && there.tell.is_none());
}

#[test]
fn an_offer_that_nobody_answers_ends_on_both_sides_at_the_same_time() {
    let now = epoch();
    let (mut sender, text) = FileSender::new(offer(Some(1)), now).unwrap();
    let mut receiver = FileReceiver::new(WINDOW, Duration::from_secs(60), now);
    receiver.receive(&text, now);
    let later = now + Duration::from_secs(10);
    assert_eq!((sender.poll_timeout(), receiver.poll_timeout()), (Some(later), Some(later)));
    assert!(sender.handle_timeout(later - Duration::from_millis(1)).is_none());
    let failure = sender.handle_timeout(later).unwrap();
    assert_eq!(failure.error.code, "TASK_TIMEOUT");
    assert!(failure.error.message.contains("10000 ms"), "{}", failure.error.message);
    assert_eq!(receiver.handle_timeout(later).unwrap().error.code, "TASK_TIMEOUT");
    assert!(sender.handle_timeout(later).is_none(), "said once");
}

#[test]
fn a_channel_without_an_offer_ends_and_preparing_has_no_deadline() {
    let now = epoch();
    let mut silent = FileReceiver::new(WINDOW, Duration::from_secs(60), now);
    assert_eq!(silent.handle_timeout(silent.poll_timeout().unwrap()).unwrap().error.code, "TASK_TIMEOUT");
    let (mut sender, receiver) = accepted(Some(1), 0);
    assert_eq!((sender.poll_timeout(), receiver.poll_timeout()), (None, None));
    assert!(sender.handle_timeout(now + Duration::from_secs(1_000_000)).is_none());
}

#[test]
fn a_refusal_and_a_cancellation_reach_the_other_side_and_are_said_once() {
    let now = epoch();
    let (mut sender, text) = FileSender::new(offer(Some(1)), now).unwrap();
    let mut receiver = FileReceiver::new(WINDOW, Duration::from_secs(60), now);
    receiver.receive(&text, now);
    let refusal = receiver.abort(AgentError::new("UNAUTHORIZED", "not from you")).unwrap();
    assert!(receiver.abort(AgentError::new("X", "again")).is_none());
    let failure = failure(sender.receive(&refusal));
    assert_eq!(
        (failure.error.code.as_str(), failure.error.message.as_str()),
        ("UNAUTHORIZED", "not from you")
    );
    assert!(sender.abort(AgentError::new("X", "again")).is_none());

    let (mut sender, mut receiver) = flowing(Some(1));
    let cancelled = sender.abort(AgentError::new("TASK_CANCELLED", "enough")).unwrap();
    let ReceiverEvent::Failed(failure) = receiver.receive(&cancelled, now) else { panic!() };
    assert_eq!(failure.error.code, "TASK_CANCELLED");
    assert!(receiver.data(5).is_ok(), "bytes that were on their way are nobody's fault");
    assert!(matches!(receiver.receive("nonsense", now), ReceiverEvent::None));
}

#[test]
fn a_sender_that_does_not_keep_to_the_protocol_is_stopped() {
    let size = Some(2_000_000);
    for bytes in [0, MAX_CHUNK + 1, WINDOW + 1] {
        let (_, mut receiver) = flowing(size);
        assert_eq!(receiver.data(bytes).unwrap_err().error.code, code::PROTOCOL_ERROR, "{bytes}");
    }
    let (_, mut receiver) = flowing(Some(1000));
    assert!(receiver.data(1001).is_err(), "more than offered");
    let (_, mut receiver) = flowing(None);
    for _ in 0..4 {
        receiver.data(PIECE).unwrap();
    }
    assert!(receiver.data(1).is_err(), "more than granted");
    let (_, mut receiver) = accepted(size, 0);
    assert!(receiver.data(1).is_err(), "before the start");

    let start = |offset| write(&Control::Start { offset });
    let finish = |size| write(&Control::Finish { size, sha256: sum('a') });
    for text in [
        start(5),
        finish(0),
        "{}".into(),
        "[".into(),
        r#"{"type":"gossip"}"#.into(),
        "x".repeat(MAX_CONTROL + 1),
    ] {
        let (_, mut receiver) = accepted(size, 0);
        assert!(
            matches!(receiver.receive(&text, epoch()), ReceiverEvent::Failed(Failure { tell: Some(_), .. })),
            "{text}"
        );
    }
    let (_, mut receiver) = flowing(size);
    assert!(matches!(receiver.receive(&finish(1), epoch()), ReceiverEvent::Failed(_)), "not everything came");
}

#[test]
fn a_receiver_that_does_not_keep_to_the_protocol_is_stopped() {
    let sha256 = Some(sum('a'));
    for control in [
        Control::Accept { offset: 0, sha256: None, window: 1 },
        Control::Accept { offset: 0, sha256: None, window: u64::MAX },
        Control::Accept { offset: 11, sha256: sha256.clone(), window: WINDOW },
        Control::Accept { offset: 5, sha256: None, window: WINDOW },
        Control::Accept { offset: 5, sha256: Some("zz".into()), window: WINDOW },
        Control::Accept { offset: 0, sha256, window: WINDOW },
        Control::Credit { written: 0, limit: 1 },
        Control::Done { size: 10, sha256: sum('a') },
        Control::Start { offset: 0 },
    ] {
        let (mut sender, _) = FileSender::new(offer(Some(10)), epoch()).unwrap();
        assert_eq!(failure(sender.receive(&write(&control))).error.code, code::PROTOCOL_ERROR, "{control:?}");
    }
    for (written, limit) in [(6, WINDOW), (5, 10), (5, u64::MAX)] {
        let (mut sender, _) = flowing(Some(10));
        sender.sent(5).unwrap();
        let text = write(&Control::Credit { written, limit });
        assert_eq!(failure(sender.receive(&text)).error.code, code::PROTOCOL_ERROR, "{text}");
    }
    let (mut sender, _) = flowing(Some(0));
    sender.finish(sum('a')).unwrap();
    failure(sender.receive(&write(&Control::Done { size: 0, sha256: sum('b') })));
    // A stream cannot begin anywhere else.
    let (mut sender, _) = FileSender::new(offer(None), epoch()).unwrap();
    failure(sender.receive(&write(&Control::Accept { offset: 1, sha256: Some(sum('a')), window: WINDOW })));
}

#[test]
fn offers_out_of_bounds_are_refused_by_both_sides() {
    let base = offer(Some(1));
    for wrong in [
        FileOffer { version: 2, ..base.clone() },
        FileOffer { id: String::new(), ..base.clone() },
        FileOffer { id: "x".repeat(65), ..base.clone() },
        FileOffer { name: "x".repeat(1025), ..base.clone() },
        FileOffer { media_type: Some("x".repeat(257)), ..base.clone() },
        FileOffer { size: Some(1 << 53), ..base.clone() },
        FileOffer { head: Some("ABC".into()), ..base.clone() },
        FileOffer { size: None, ..base.clone() },
        FileOffer { metadata: Some("x".repeat(MAX_CONTROL)), ..base.clone() },
    ] {
        let text = write(&Control::Offer(wrong.clone()));
        assert!(FileSender::new(wrong, epoch()).is_err());
        let mut receiver = FileReceiver::new(WINDOW, Duration::from_secs(60), epoch());
        assert!(matches!(
            receiver.receive(&text, epoch()),
            ReceiverEvent::Failed(Failure { tell: Some(_), .. })
        ));
    }
}

#[test]
fn an_offer_says_where_in_a_trace_it_belongs_and_what_another_one_has_there_costs_nothing() {
    let traced =
        FileOffer { traceparent: Some("T".into()), tracestate: Some("a=1".into()), ..offer(Some(1)) };
    let text = write(&Control::Offer(traced.clone()));
    for (sent, heard) in [
        (text.clone(), traced.clone()),
        (text.replace(r#""T""#, r#"{"a":[7]}"#), FileOffer { traceparent: None, ..traced.clone() }),
        (text.replace(r#""T""#, "null"), FileOffer { traceparent: None, ..traced }),
    ] {
        let mut receiver = FileReceiver::new(WINDOW, Duration::from_secs(60), epoch());
        let ReceiverEvent::Offer(offer) = receiver.receive(&sent, epoch()) else { panic!("{sent}") };
        assert_eq!(offer, heard);
    }
    assert!(!write(&Control::Offer(offer(Some(1)))).contains("trace"));
}

#[test]
fn what_does_not_belong_into_a_transfer_is_named_in_words() {
    let (_, mut receiver) = flowing(Some(10));
    let ReceiverEvent::Failed(failure) = receiver.receive(r#"{"type":"start","offset":5}"#, epoch()) else {
        panic!("taken")
    };
    assert_eq!(failure.error.message, "\"start\" does not belong here, in the middle of the file");
    let finish = format!(r#"{{"type":"finish","size":1,"sha256":"{}"}}"#, "0".repeat(64));
    for (size, said) in [(Some(10), ", 10 were offered"), (None, "")] {
        let (_, mut receiver) = flowing(size);
        let ReceiverEvent::Failed(failure) = receiver.receive(&finish, epoch()) else { panic!("taken") };
        assert_eq!(failure.error.message, format!("the sender finishes after 1 bytes; 0 came{said}"));
    }
}

#[test]
fn a_file_that_changes_while_it_is_sent_fails() {
    let (mut sender, _) = flowing(Some(10));
    assert_eq!(sender.sent(11).unwrap_err().code, code::CAPABILITY_FAILED);
    let (mut sender, _) = flowing(Some(10));
    sender.sent(9).unwrap();
    assert!(sender.finish(sum('a')).unwrap_err().message.contains("9 of the 10"));
}

#[test]
fn a_journal_is_of_one_file_of_one_agent() {
    let journal = Journal::of(&offer(Some(7)), "agent://a").unwrap();
    assert_eq!(Journal::parse(&journal.to_text()), Some(journal.clone()));
    let other = FileOffer { modified: Some(6), ..offer(Some(7)) };
    for different in [
        Journal::of(&offer(Some(8)), "agent://a"),
        Journal::of(&offer(Some(7)), "agent://b"),
        Journal::of(&other, "agent://a"),
    ] {
        assert_ne!(different, Some(journal.clone()));
    }
    // The id names an attempt, not a file.
    assert_eq!(Journal::of(&FileOffer { id: "2".into(), ..offer(Some(7)) }, "agent://a"), Some(journal));
    assert_eq!(Journal::of(&offer(None), "agent://a"), None);
    assert_eq!(Journal::parse("{\"version\":1"), None);
}

proptest! {
    #[test]
    fn whatever_the_disk_does_everything_arrives_and_no_more_than_the_window_waits(
        size in 0u64..20_000_000,
        writes in proptest::collection::vec(1u64..3_000_000, 0..60),
    ) {
        let (mut sender, mut receiver) = flowing(Some(size));
        flow(&mut sender, &mut receiver, 0, size, &mut writes.into_iter());
        let finish = sender.finish(sum('b')).unwrap();
        prop_assert!(matches!(receiver.receive(&finish, epoch()), ReceiverEvent::Finish));
    }

    #[test]
    fn no_text_does_harm(texts in proptest::collection::vec(
        prop_oneof![
            "\\PC{0,80}",
            "\\{\"type\":\"(offer|preparing|accept|start|credit|finish|done|abort)\"(,\"(offset|window|limit|written|size)\":[0-9]{1,20}){0,4}\\}",
        ],
        0..12,
    )) {
        crate::fuzz::transfer(epoch(), texts.join("\0").as_bytes());
    }

    #[test]
    fn what_is_written_is_read_back(name in "\\PC{0,100}", size in proptest::option::of(0u64..1 << 53)) {
        let control = Control::Offer(FileOffer { name, ..offer(size) });
        prop_assert_eq!(parse(&write(&control)).unwrap(), control);
    }
}
