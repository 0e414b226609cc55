//! Calls over loopback, through the whole stack: the tone that is sent is the tone that is heard.

mod common;

use common::{End, Heard, connect, negotiate, runtime, tone_track, wait_until};
use ossa_codec::pcm::{Block, Channels, Format};
use ossa_codec::track::Source;
use ossa_media::Kind;
use ossa_peer::{CodecCapability, MediaCapabilities};

/// Only this codec.
fn only(codec: CodecCapability) -> MediaCapabilities {
    MediaCapabilities { audio: vec![codec], ..MediaCapabilities::default() }
}

fn mono(rate: u32) -> Format {
    Format::new(rate, Channels::Mono).unwrap()
}

/// A tone of this format goes over `capabilities`, and is heard.
fn call(capabilities: &MediaCapabilities, format: Format) {
    let runtime = runtime();
    let (a, b) = (End::with(&runtime, capabilities.clone()), End::with(&runtime, capabilities.clone()));
    let sender = a.add(Kind::Audio);
    connect(&a, &b);
    let track = tone_track(440.0, format, 30);
    a.tracks.send_audio(sender, Some(&track));
    let received = b.tracks.receive_audio(b.transceiver(0));
    let (heard, _attachment) = Heard::of(&received);
    heard.wait_tone(440.0);
}

#[test]
fn a_tone_comes_out_as_it_went_in_whatever_codec_carries_it() {
    let codecs =
        MediaCapabilities::default().audio.into_iter().filter(|codec| codec.name != "telephone-event");
    for codec in codecs {
        for rate in [8_000, 44_100] {
            println!("{} at {rate} Hz", codec.name);
            call(&only(codec.clone()), mono(rate));
        }
    }
}

#[test]
fn stereo_is_stereo_for_who_asks_for_it() {
    let codec = &MediaCapabilities::default().audio[0];
    let parameters = format!("{};stereo=1", codec.parameters);
    let stereo = only(CodecCapability { parameters, ..codec.clone() });
    let runtime = runtime();
    let (a, b) = (End::with(&runtime, stereo.clone()), End::with(&runtime, stereo));
    let sender = a.add(Kind::Audio);
    connect(&a, &b);
    let track = tone_track(440.0, Format::new(48_000, Channels::Stereo).unwrap(), 30);
    a.tracks.send_audio(sender, Some(&track));
    let received = b.tracks.receive_audio(b.transceiver(0));
    let (heard, _attachment) = Heard::of(&received);
    heard.wait_tone(440.0);
    assert_eq!(heard.wait(0.1).0.channels(), Channels::Stereo);
}

#[test]
fn both_hear_each_other_and_another_track_takes_over_without_negotiation() {
    let runtime = runtime();
    let (a, b) = (End::new(&runtime), End::new(&runtime));
    let at_a = a.add(Kind::Audio);
    // Asked for before anything was negotiated.
    let track_at_a = a.tracks.receive_audio(at_a);
    connect(&a, &b);
    let at_b = b.transceiver(0);
    let (low, high) = (tone_track(300.0, mono(16_000), 20), tone_track(1_000.0, mono(48_000), 20));
    a.tracks.send_audio(at_a, Some(&low));
    b.tracks.send_audio(at_b, Some(&high));
    let track_at_b = b.tracks.receive_audio(at_b);
    let (heard_at_a, _a) = Heard::of(&track_at_a);
    let (heard_at_b, _b) = Heard::of(&track_at_b);
    heard_at_a.wait_tone(1_000.0);
    heard_at_b.wait_tone(300.0);
    a.tracks.send_audio(at_a, Some(&high));
    heard_at_b.wait_tone(1_000.0);
    a.tracks.send_audio(at_a, None);
    heard_at_b.wait_silence();
    a.tracks.send_audio(at_a, Some(&low));
    heard_at_b.wait_tone(300.0);
}

#[test]
fn hold_and_resume_leave_the_track_in_place() {
    let runtime = runtime();
    let (a, b) = (End::new(&runtime), End::new(&runtime));
    let at_a = a.add(Kind::Audio);
    connect(&a, &b);
    let tone = tone_track(440.0, mono(48_000), 30);
    a.tracks.send_audio(at_a, Some(&tone));
    let received = b.tracks.receive_audio(b.transceiver(0));
    let (heard, _attachment) = Heard::of(&received);
    heard.wait(0.5);
    let direct = |direction| {
        a.call(|connection, now| connection.set_direction(now, at_a, direction));
        negotiate(&a, &b);
    };
    direct(ossa_peer::Direction::Inactive);
    wait_until("nothing is played on hold", || {
        let before = heard.frames();
        std::thread::sleep(std::time::Duration::from_millis(100));
        before == heard.frames()
    });
    direct(ossa_peer::Direction::SendRecv);
    heard.wait_tone(440.0);
}

#[test]
fn the_end_of_a_connection_is_the_end_of_its_tracks() {
    let runtime = runtime();
    let (a, b) = (End::new(&runtime), End::new(&runtime));
    let at_a = a.add(Kind::Audio);
    connect(&a, &b);
    let tone = tone_track(440.0, mono(48_000), 10);
    a.tracks.send_audio(at_a, Some(&tone));
    let received = b.tracks.receive_audio(b.transceiver(0));
    let (heard, _attachment) = Heard::of(&received);
    heard.wait(0.1);
    b.peer.close();
    b.tracks.close();
    heard.wait_end();
    assert!(!received.is_live());
    assert!(!b.tracks.receive_audio(b.transceiver(0)).is_live());
    assert!(tone.is_live());
}

#[test]
fn audio_that_comes_quicker_than_it_can_be_encoded_is_left_out_counted_and_told_of_once() {
    let runtime = runtime();
    let (a, b) = (End::new(&runtime), End::new(&runtime));
    let sender = a.add(Kind::Audio);
    connect(&a, &b);
    let source = Source::new();
    let track = source.track();
    a.tracks.send_audio(sender, Some(&track));
    let block = Block::new(Format::FULL, &[0.1; 480]).unwrap();
    wait_until("a second of audio was left out", || {
        // A second of it at once.
        (0..100).for_each(|_| source.push(&block));
        a.tracks.discarded(sender).is_some_and(|packets| packets >= 50)
    });
    let told = || {
        let faults = a.faults.lock().unwrap();
        faults.iter().filter(|fault| fault.contains("this machine does not keep up")).count()
    };
    wait_until("it is told", || told() > 0);
    assert_eq!(told(), 1, "{:?}", a.faults.lock().unwrap());
}
