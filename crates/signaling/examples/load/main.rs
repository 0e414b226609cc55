//! Load for signaling servers: many WebSocket clients with as little work per message as possible, so that the server is what is
//! measured. `node bench/signaling.mjs` starts it; each command prints one line of JSON when it is ready and one at its end.
//!
//! ```sh
//! cargo run --release -p ossa-signaling --example load -- relay --server 127.0.0.1:9000 --protocol ossa --pairs 32
//! ```

mod flood;
mod hold;
mod options;
mod protocol;
mod relay;
mod wire;

use std::process::ExitCode;

use options::Options;

const USAGE: &str = "load COMMAND --server IP:PORT [options]
commands
  relay      half of the agents send to the other half
  hold       connects and registers agents and keeps them until standard input ends
  flood      one agent sends to another as fast as it can, and comes back when it is disconnected
  half-open  connections that send half of an HTTP request, until standard input ends
options
  --recipients IP:PORT      relay: the server of the recipients, if it is another one
  --protocol ossa|peer|ws   what the server speaks (ossa)
  --source IP               address to connect from (127.0.0.1)
  --sources N               so many addresses from there on, one after the other (1)
  --prefix NAME             distinguishes the agents of several processes (a)
  --seconds S               how long relay and flood measure, after one second of warm-up (5)
  --pairs N                 relay: senders, each with a recipient of its own (32)
  --window N                relay: messages of each sender that may be under way (32)
  --rate N                  relay: messages per second of all senders together, whatever is under way
  --agents N                hold and half-open: connections (1000)
  --parallel N              hold: handshakes at the same time (64)";

/// One thread: what the server needs of the machine is left to it.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next().unwrap_or_default();
    let done = match Options::parse(arguments) {
        Ok(options) => match command.as_str() {
            "relay" => relay::run(options).await,
            "hold" => hold::run(options).await,
            "flood" => flood::run(options).await,
            "half-open" => hold::half_open(options).await,
            _ => Err(USAGE.into()),
        },
        Err(error) => Err(format!("{error}\n{USAGE}").into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// What any step may fail with; it is only ever printed.
type Failure = Box<dyn std::error::Error>;
