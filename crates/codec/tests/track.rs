//! Audio finds its way from sources to sinks, in time, and nothing is lost without being told. Time is virtual.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use ossa_codec::pcm::{Block, Channels, Encoding, Format, encode};
use ossa_codec::track::{BLOCK, Feed, Notify, Paced, Sink, Source, Tap};
use support::{measure, tone};

fn told() -> (Arc<AtomicUsize>, Notify) {
    let count = Arc::new(AtomicUsize::new(0));
    let counter = count.clone();
    let notify = move || {
        counter.fetch_add(1, Ordering::Relaxed);
    };
    (count, Box::new(notify))
}

fn tap(format: Option<Format>, capacity: Duration) -> Arc<Tap> {
    Arc::new(Tap::new(format, capacity, told().1))
}

fn heard(tap: &Tap) -> Vec<f32> {
    std::iter::from_fn(|| tap.read()).flat_map(|block| block.samples().to_vec()).collect()
}

fn feed(format: Format, capacity: u64) -> (Feed, Arc<AtomicUsize>) {
    let (count, notify) = told();
    (Feed::new(format, Encoding::S16, Duration::from_millis(capacity), notify), count)
}

fn bytes(samples: &[f32]) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode(Encoding::S16, samples.iter().copied(), &mut bytes);
    bytes
}

const LONG: Duration = Duration::from_secs(60);

#[test]
fn every_sink_of_every_track_gets_every_block_and_a_disabled_track_gives_silence() {
    let source = Source::new();
    let (one, other) = (source.track(), source.track());
    let taps = [tap(None, LONG), tap(None, LONG), tap(None, LONG)];
    let _attached = [one.attach(taps[0].clone()), one.attach(taps[1].clone()), other.attach(taps[2].clone())];
    other.set_enabled(false);
    source.push(&Block::new(Format::FULL, &[0.5; 480]).unwrap());
    assert_eq!(heard(&taps[0]), [0.5; 480]);
    assert_eq!(heard(&taps[1]), [0.5; 480]);
    assert_eq!(heard(&taps[2]), [0.0; 480], "as long, and silent");
    assert!(one.loudness().level.peak == 0.5 && other.loudness().level.peak == 0.0);
    assert!(!other.duplicate().is_enabled());
}

#[test]
fn the_end_of_a_source_and_of_a_track_is_told_once_and_for_all() {
    let source = Source::new();
    let (one, other) = (source.track(), source.track());
    let taps = [tap(None, LONG), tap(None, LONG)];
    let _attached = [one.attach(taps[0].clone()), other.attach(taps[1].clone())];
    one.stop();
    assert!(taps[0].state().ended && !taps[1].state().ended && source.is_heard());
    source.push(&Block::new(Format::FULL, &[0.5; 480]).unwrap());
    assert!(heard(&taps[0]).is_empty() && !heard(&taps[1]).is_empty());
    source.end();
    assert!(taps[1].state().ended && !other.is_live() && !source.is_heard());
    let late = tap(None, LONG);
    let _late = other.attach(late.clone());
    assert!(late.state().ended && !other.duplicate().is_live() && !source.track().is_live());
}

#[test]
fn a_sink_that_was_taken_off_hears_nothing_more() {
    let source = Source::new();
    let track = source.track();
    let tap = tap(None, LONG);
    drop(track.attach(tap.clone()));
    source.push(&Block::new(Format::FULL, &[0.5; 480]).unwrap());
    assert!(heard(&tap).is_empty() && !tap.state().ended);
}

#[test]
fn a_track_is_read_at_the_rate_of_the_readers_choice_whatever_the_source_has() {
    let source = Source::new();
    let track = source.track();
    let to = Format::new(16_000, Channels::Stereo).unwrap();
    let tap = tap(Some(to), LONG);
    let _attached = track.attach(tap.clone());
    let from = Format::new(44_100, Channels::Mono).unwrap();
    for samples in tone(1_000.0, 44_100, 1, 44_100).chunks(441) {
        source.push(&Block::new(from, samples).unwrap());
    }
    let samples = heard(&tap);
    assert!((samples.len() as i64 / 2 - 16_000).abs() <= 42, "{}", samples.len());
    let left = support::channel(&samples, 2, 0);
    let (level, clean) = measure(&left[8_000..], 1_000.0, 16_000);
    assert!((0.49..0.51).contains(&level) && clean > 60.0, "{level}, {clean} dB");
}

#[test]
fn a_reader_that_is_too_slow_loses_the_oldest_and_is_told() {
    let source = Source::new();
    let track = source.track();
    let tap = tap(None, BLOCK * 5);
    let _attached = track.attach(tap.clone());
    for n in 1..=8_u8 {
        source.push(&Block::new(Format::FULL, &[f32::from(n) / 8.0; 480]).unwrap());
    }
    let stats = tap.state().stats;
    assert_eq!((stats.overruns, stats.dropped), (1, 3 * 480));
    assert_eq!(heard(&tap)[0], 0.5, "the fourth is the oldest that is left");
    assert_eq!(tap.state().stats.read, 5 * 480);
}

#[test]
fn a_stream_is_played_in_real_time_and_ends_when_all_was_heard() {
    for rate in [8_000, 11_025, 44_100, 48_000] {
        let format = Format::new(rate, Channels::Mono).unwrap();
        let (feed, _) = feed(format, 2_000);
        let track = feed.source().track();
        let tap = tap(None, LONG);
        let _attached = track.attach(tap.clone());
        let samples = tone(440.0, rate, 1, rate as usize);
        let written = bytes(&samples);
        assert_eq!(feed.write(&written), written.len());
        let start = Instant::now();
        // A clock that ticks when it likes: what was played depends on the time alone.
        let mut now = Duration::ZERO;
        for step in [3, 17, 10, 1, 49, 20].iter().cycle() {
            if now > Duration::from_millis(500) {
                break;
            }
            assert!(feed.tick(start + now));
            let due = format.frames_in(BLOCK * ((now.as_nanos() / BLOCK.as_nanos()) as u32 + 1));
            assert_eq!(feed.state().stats.played, due as u64, "{rate} Hz after {now:?}");
            now += Duration::from_millis(*step);
        }
        feed.finish();
        while feed.tick(start + now) {
            now += BLOCK;
        }
        assert!(now >= Duration::from_millis(980) && now <= Duration::from_millis(1_050), "{now:?}");
        let heard = heard(&tap);
        assert_eq!(bytes(&heard[..samples.len()]), written, "every sample, in order");
        assert!(
            heard[samples.len()..].iter().all(|sample| *sample == 0.0) && heard.len() < samples.len() + 500
        );
        assert!(tap.state().ended && feed.state().over && feed.state().stats.underruns == 0);
    }
}

#[test]
fn a_writer_waits_for_room_and_is_called_when_there_is_some() {
    let (feed, told) = feed(Format::FULL, 100);
    let _track = feed.source().track();
    let second = bytes(&[0.1; 48_000]);
    assert_eq!(feed.write(&second), 9_600, "100 ms");
    assert_eq!(feed.write(&second), 0, "full");
    let start = Instant::now();
    for block in 0..5 {
        assert_eq!(told.load(Ordering::Relaxed), 0);
        feed.tick(start + BLOCK * block);
    }
    assert_eq!(told.load(Ordering::Relaxed), 1, "at half");
    assert_eq!(feed.write(&second), 4_800);
}

#[test]
fn running_dry_is_told_once_per_gap_and_filled_with_silence() {
    let (feed, told) = feed(Format::FULL, 100);
    let track = feed.source().track();
    let tap = tap(None, LONG);
    let _attached = track.attach(tap.clone());
    let start = Instant::now();
    feed.tick(start);
    assert_eq!(feed.state().stats.underruns, 0, "nothing was played before");
    feed.write(&bytes(&[0.5; 720]));
    for block in 1..6 {
        feed.tick(start + BLOCK * block);
    }
    let stats = feed.state().stats;
    assert_eq!((stats.underruns, told.load(Ordering::Relaxed)), (1, 1));
    assert_eq!((stats.played, stats.silence), (720, 6 * 480 - 720));
    feed.write(&bytes(&[0.5; 480]));
    for block in 6..9 {
        feed.tick(start + BLOCK * block);
    }
    assert_eq!(feed.state().stats.underruns, 2);
    assert_eq!(heard(&tap).len(), 9 * 480, "the track goes on all the time");
}

#[test]
fn what_waits_can_be_dropped_at_once_and_what_comes_after_is_heard() {
    let (feed, _) = feed(Format::FULL, 1_000);
    let track = feed.source().track();
    let tap = tap(None, LONG);
    let _attached = track.attach(tap.clone());
    // Ends in the middle of a sample.
    feed.write(&bytes(&[0.5; 4_800])[..9_599]);
    let start = Instant::now();
    feed.tick(start);
    assert_eq!(feed.clear(), 4_799 - 480);
    feed.write(&bytes(&[0.25; 480]));
    feed.tick(start + BLOCK);
    assert_eq!(heard(&tap)[480..], [0.25; 480]);
    assert_eq!(feed.state().stats.underruns, 0, "it was wanted");
}

#[test]
fn a_pause_of_the_process_is_not_played_in_one_go() {
    let (feed, _) = feed(Format::FULL, 10_000);
    let track = feed.source().track();
    let tap = tap(None, LONG);
    let _attached = track.attach(tap.clone());
    feed.write(&bytes(&[0.5; 480_000]));
    let start = Instant::now();
    feed.tick(start);
    feed.tick(start + Duration::from_secs(3_600));
    assert_eq!(heard(&tap).len(), 2 * 480);
    feed.tick(start + Duration::from_secs(3_600) + BLOCK * 3);
    assert_eq!(heard(&tap).len(), 3 * 480);
}

#[test]
fn hours_of_audio_stay_in_step_with_the_clock() {
    let format = Format::new(11_025, Channels::Mono).unwrap();
    let (feed, _) = feed(format, 100);
    let _track = feed.source().track();
    let start = Instant::now();
    // In steps of 100 ms: 3 hours.
    for step in 0..108_000_u32 {
        feed.tick(start + BLOCK * 10 * step);
    }
    let exact = format.frames_in(BLOCK * (10 * 107_999 + 1)) as u64;
    assert_eq!(feed.state().stats.silence, exact);
}

#[test]
fn a_stream_that_nobody_hears_is_over() {
    let (feed, told) = feed(Format::FULL, 100);
    let track = feed.source().track();
    feed.write(&bytes(&[0.5; 480]));
    drop(track);
    assert!(!feed.tick(Instant::now()) && feed.state().over);
    assert!(told.load(Ordering::Relaxed) > 0);
    assert_eq!(feed.write(&[0; 100]), 100, "taken and dropped: nobody waits for ever");
}

#[test]
fn sinks_may_be_anything() {
    struct Counter(AtomicUsize);
    impl Sink for Counter {
        fn take(&self, block: &Block) {
            self.0.fetch_add(block.frames(), Ordering::Relaxed);
        }
        fn end(&self) {}
    }
    let source = Source::new();
    let track = source.track();
    let counter = Arc::new(Counter(AtomicUsize::new(0)));
    let _attached = track.attach(counter.clone());
    source.push(&Block::new(Format::FULL, &[0.5; 480]).unwrap());
    assert_eq!(counter.0.load(Ordering::Relaxed), 480);
}
