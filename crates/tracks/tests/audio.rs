//! Calls over loopback, through the whole stack: the tone that is sent is the tone that is heard.

mod common;

use common::support::{channel, measure, rms};
use common::{End, Heard, connect, negotiate, runtime, tone_track};
use ossa_codec::pcm::{Channels, Format};
use ossa_media::Kind;
use ossa_peer::{CodecCapability, MediaCapabilities};

/// Only this codec.
fn only(codec: CodecCapability) -> MediaCapabilities {
    MediaCapabilities { audio: vec![codec], ..MediaCapabilities::default() }
}

fn mono(rate: u32) -> Format {
    Format::new(rate, Channels::Mono).unwrap()
}

/// The tone that is heard when `format` is sent over `capabilities`: its level and how many decibels it is above all else.
fn heard(capabilities: &MediaCapabilities, format: Format) -> (f64, f64) {
    let runtime = runtime();
    let (a, b) = (End::with(&runtime, capabilities.clone()), End::with(&runtime, capabilities.clone()));
    let sender = a.add(Kind::Audio);
    connect(&a, &b);
    let track = tone_track(440.0, format, 10);
    a.tracks.send_audio(sender, Some(&track));
    let received = b.tracks.receive_audio(b.transceiver(0));
    let (heard, _attachment) = Heard::of(&received);
    let (format, samples) = heard.wait(1.5);
    let samples = channel(&samples, format.channels().count(), 0);
    measure(&samples[samples.len() / 2..], 440.0, format.rate())
}

#[test]
fn a_tone_comes_out_as_it_went_in_whatever_codec_carries_it() {
    for codec in MediaCapabilities::default().audio {
        for rate in [8_000, 44_100] {
            let (level, clean) = heard(&only(codec.clone()), mono(rate));
            assert!((0.42..0.58).contains(&level), "{} at {rate} Hz: level {level}", codec.name);
            assert!(clean > 12.0, "{} at {rate} Hz: {clean} dB", codec.name);
        }
    }
}

#[test]
fn stereo_is_stereo_for_who_asks_for_it() {
    let codec = &MediaCapabilities::default().audio[0];
    let parameters = format!("{};stereo=1", codec.parameters);
    let stereo = only(CodecCapability { parameters, ..codec.clone() });
    let (level, clean) = heard(&stereo, Format::new(48_000, Channels::Stereo).unwrap());
    assert!((0.42..0.58).contains(&level) && clean > 12.0, "{level} {clean}");
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
    let tail = |heard: &Heard, hertz| {
        heard.clear();
        let (format, samples) = heard.wait(1.0);
        measure(&samples[samples.len() / 2..], hertz, format.rate())
    };
    assert!(tail(&heard_at_a, 1_000.0).1 > 12.0);
    assert!(tail(&heard_at_b, 300.0).1 > 12.0);
    a.tracks.send_audio(at_a, Some(&high));
    assert!(tail(&heard_at_b, 1_000.0).1 > 12.0);
    a.tracks.send_audio(at_a, None);
    let silent = (0..20).any(|_| {
        heard_at_b.clear();
        rms(&heard_at_b.wait(0.2).1) < 0.01
    });
    assert!(silent, "what was taken away is still heard");
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
    common::wait_until("nothing is played on hold", || {
        let before = heard.frames();
        std::thread::sleep(std::time::Duration::from_millis(100));
        before == heard.frames()
    });
    direct(ossa_peer::Direction::SendRecv);
    heard.clear();
    let (format, samples) = heard.wait(1.0);
    let (level, clean) = measure(&samples[samples.len() / 2..], 440.0, format.rate());
    assert!((0.42..0.58).contains(&level) && clean > 12.0, "{level} {clean}");
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
