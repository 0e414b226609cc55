//! A path between two processes on one machine: `emulator relay SETTINGS` or, on Linux as root, `emulator tun NAME NAME SETTINGS`.
//!
//! The path is the one of the simulations (`crates/sctp/tests/support/link.rs`): a drop-tail queue before a line of a certain
//! rate, a delay, random loss, and packets that are too large vanish. `relay` carries UDP between addresses that it is told:
//! for each candidate of one side it gives an address, which the other side gets instead. `tun` carries IP packets between two
//! network devices, which whoever started it puts into network namespaces.
//!
//! It answers calls as the stacks of the benchmarks do: one JSON object per line, `{id, method, params}` on the standard input,
//! `{id, result}` or `{id, error}` on the standard output. It ends when the input does.

#[allow(dead_code, unreachable_pub, reason = "the simulations use more of it")]
#[path = "../../../crates/sctp/tests/support/link.rs"]
mod link;
mod path;
mod relay;
mod settings;
#[cfg(target_os = "linux")]
mod tun;

use std::io::BufRead;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::{Value, json};

use path::{Direction, Path};
use settings::Settings;

/// What may happen, besides that a packet's time comes.
enum Input {
    Packet(Incoming),
    Call(Call),
    End,
}

/// A packet that was read.
struct Incoming {
    at: Instant,
    /// Which of the carrier's readers read it.
    reader: usize,
    bytes: Vec<u8>,
    from: Option<std::net::SocketAddr>,
}

#[derive(Deserialize)]
struct Call {
    id: u64,
    method: String,
    #[serde(default)]
    params: Value,
}

/// What carries packets in and out.
trait Carrier {
    /// Where a packet goes: the direction of the path, and a number that `deliver` understands.
    fn route(&mut self, packet: &Incoming, inputs: &Sender<Input>) -> Result<(Direction, usize), String>;
    /// Puts a packet out that has come through the path.
    fn deliver(&mut self, route: usize, bytes: &[u8]);
    /// Makes an address that stands for this one of the side.
    fn candidate(&mut self, params: &Value, inputs: &Sender<Input>) -> Result<Value, String>;
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Err(error) = start(&arguments) {
        eprintln!("emulator: {error}");
        std::process::exit(2);
    }
}

fn start(arguments: &[String]) -> Result<(), String> {
    let (inputs, queue) = channel();
    let usage = "relay SETTINGS, or on Linux: tun NAME NAME SETTINGS";
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    // What a device carries has its headers, what a socket carries has not.
    let (mut carrier, settings, without): (Box<dyn Carrier>, _, _) = match words[..] {
        ["relay", settings] => (Box::new(relay::Relay::default()), settings, settings::HEADERS),
        #[cfg(target_os = "linux")]
        ["tun", a, b, settings] => (Box::new(tun::Tunnel::new([a, b], &inputs)?), settings, 0),
        _ => return Err(format!("expected {usage}; got {arguments:?}")),
    };
    let settings = Settings::parse(settings)?;
    read_calls(inputs.clone());
    run(carrier.as_mut(), Path::new(&settings, without), &inputs, &queue);
    Ok(())
}

fn read_calls(inputs: Sender<Input>) {
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            let Ok(line) = line else { break };
            let input = match serde_json::from_str(&line) {
                Ok(call) => Input::Call(call),
                Err(error) => {
                    eprintln!("emulator: {error} in {line}");
                    continue;
                }
            };
            let _ = inputs.send(input); // the main thread ends the process
        }
        let _ = inputs.send(Input::End);
    });
}

/// Longest sleep when nothing is under way.
const IDLE: Duration = Duration::from_secs(60);

fn run(carrier: &mut dyn Carrier, mut path: Path, inputs: &Sender<Input>, queue: &Receiver<Input>) {
    loop {
        let next = path.next().map_or(IDLE, |at| at.saturating_duration_since(Instant::now()));
        let mut input = match queue.recv_timeout(next) {
            Ok(input) => Some(input),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        while let Some(what) = input {
            match what {
                Input::Packet(packet) => match carrier.route(&packet, inputs) {
                    Ok((direction, route)) => path.enter(packet.at, direction, route, &packet.bytes),
                    Err(error) => eprintln!("emulator: {error}"),
                },
                Input::Call(call) => answer(&call, carrier, &mut path, inputs),
                Input::End => return,
            }
            input = queue.try_recv().ok();
        }
        while let Some((route, bytes)) = path.take(Instant::now()) {
            carrier.deliver(route, &bytes);
        }
    }
}

fn answer(call: &Call, carrier: &mut dyn Carrier, path: &mut Path, inputs: &Sender<Input>) {
    let result = match call.method.as_str() {
        "candidate" => carrier.candidate(&call.params, inputs),
        "set" => Settings::from_value(call.params.clone()).map(|settings| {
            path.set(&settings);
            json!({})
        }),
        "stats" => Ok(path.stats()),
        method => Err(format!("there is no method {method}")),
    };
    let id = call.id;
    match result {
        Ok(result) => println!("{}", json!({ "id": id, "result": result })),
        Err(error) => println!("{}", json!({ "id": id, "error": error })),
    }
}
