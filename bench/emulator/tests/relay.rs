//! The relay against theory, by what arrives rather than by when: only what no machine can make quicker is timed.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, UdpSocket};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// Longer than anything takes here; what does not come by then never does.
const PATIENCE: Duration = Duration::from_secs(20);

struct Emulator {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Emulator {
    fn start(settings: &Value) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_ossa-bench-emulator"))
            .args(["relay", &settings.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let input = child.stdin.take().expect("it is piped");
        let output = BufReader::new(child.stdout.take().expect("it is piped"));
        Self { child, input, output }
    }

    fn call(&mut self, method: &str, params: Value) -> Value {
        writeln!(self.input, "{}", json!({ "id": 1, "method": method, "params": params })).expect("it reads");
        let mut line = String::new();
        self.output.read_line(&mut line).expect("it answers");
        serde_json::from_str(&line).expect("in JSON")
    }

    /// The address that stands for this one.
    fn candidate(&mut self, side: &str, address: SocketAddr) -> SocketAddr {
        let answer = self.call("candidate", json!({ "side": side, "address": address }));
        let address = answer["result"]["address"].as_str().unwrap_or_else(|| panic!("an address: {answer}"));
        address.parse().expect("an address")
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Two sockets, and what each has to send to in order to reach the other.
struct Ends {
    emulator: Emulator,
    a: UdpSocket,
    b: UdpSocket,
    to_a: SocketAddr,
    to_b: SocketAddr,
}

impl Ends {
    fn new(settings: &Value) -> Self {
        let mut emulator = Emulator::start(settings);
        let [a, b] = [(); 2].map(|()| UdpSocket::bind("127.0.0.1:0").expect("a free port"));
        for socket in [&a, &b] {
            socket.set_read_timeout(Some(PATIENCE)).expect("a time limit");
        }
        let to_a = emulator.candidate("a", a.local_addr().expect("it is bound"));
        let to_b = emulator.candidate("b", b.local_addr().expect("it is bound"));
        Self { emulator, a, b, to_a, to_b }
    }

    /// Sends from a to b, and waits until the emulator has read it.
    fn send(&mut self, sizes: &[usize]) {
        for size in sizes {
            self.a.send_to(&vec![1; *size], self.to_b).expect("it is sent");
        }
        let mut read = 0;
        while read < sizes.len() as u64 {
            let stats = self.emulator.call("stats", json!({}));
            read += stats["result"]["forth"]["packetsIn"].as_u64().expect("a number");
        }
    }

    /// Sizes of what arrives at b up to a packet of one byte, which only `last` sends.
    fn arrived(&self) -> Vec<usize> {
        let mut buffer = [0; 65_536];
        let sizes = std::iter::from_fn(|| match self.b.recv(&mut buffer) {
            Ok(1) => None,
            Ok(len) => Some(len),
            Err(error) => panic!("nothing more arrives: {error}"),
        });
        sizes.collect()
    }

    /// Changes the path and then says that it was all.
    fn last(&mut self, settings: Value) {
        self.emulator.call("set", settings);
        self.a.send_to(&[0], self.to_b).expect("it is sent");
    }
}

#[test]
fn each_side_sees_the_other_at_the_address_that_it_was_given() {
    let Ends { emulator: _emulator, a, b, to_a, to_b } = Ends::new(&json!({}));
    let mut buffer = [0; 100];
    a.send_to(b"forth", to_b).expect("it is sent");
    assert_eq!(b.recv_from(&mut buffer).expect("it arrives"), (5, to_a));
    b.send_to(b"back", to_a).expect("it is sent");
    assert_eq!(a.recv_from(&mut buffer).expect("it arrives"), (4, to_b));
    // An address that nobody told, as behind a NAT, gets one of its own.
    let other = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    other.set_read_timeout(Some(PATIENCE)).expect("a time limit");
    other.send_to(b"other", to_b).expect("it is sent");
    let (len, seen) = b.recv_from(&mut buffer).expect("it arrives");
    assert!(len == 5 && seen != to_a && seen != to_b, "{seen}");
    b.send_to(b"answer", seen).expect("it is sent");
    assert_eq!(other.recv_from(&mut buffer).expect("it arrives"), (6, to_b));
}

#[test]
fn what_is_larger_than_1500_bytes_of_ip_vanishes() {
    let mut ends = Ends::new(&json!({}));
    ends.send(&[1472, 1473, 1500, 16_384, 1200]);
    ends.last(json!({}));
    assert_eq!(ends.arrived(), [1472, 1200]);
}

#[test]
fn loss_is_as_set() {
    let lossy = json!({ "loss": 0.1, "seed": 7 });
    let mut ends = Ends::new(&lossy);
    let mut arrived = 0;
    // No more at once than any socket holds.
    for _ in 0..40 {
        ends.emulator.call("set", lossy.clone());
        ends.send(&[100; 100]);
        ends.last(json!({}));
        arrived += ends.arrived().len();
    }
    // Five times the standard deviation of 19.
    assert!((3505..=3695).contains(&arrived), "{arrived} of 4000");
}

#[test]
fn a_queue_takes_what_it_holds_and_drops_the_rest() {
    // 2 kbit/s: one packet every four seconds, so that next to nothing leaves while they come.
    let mut ends = Ends::new(&json!({ "mbit": 0.002, "queueBytes": 20_000 }));
    ends.send(&[1000; 100]);
    // The one on the line keeps its time.
    ends.last(json!({ "queueBytes": 1_000_000 }));
    let arrived = ends.arrived().len();
    assert!((20..=21).contains(&arrived), "{arrived}");
}

#[test]
fn a_rate_is_never_exceeded_and_a_delay_never_undercut() {
    let settings = json!({ "mbit": 1, "delayMs": 150, "queueBytes": 1_000_000 });
    let mut ends = Ends::new(&settings);
    let start = Instant::now();
    ends.send(&[1000; 100]);
    ends.a.send_to(&[0], ends.to_b).expect("it is sent");
    assert_eq!(ends.arrived().len(), 100);
    // 100 packets of 8 ms, and the way.
    assert!(start.elapsed() >= Duration::from_millis(950), "{:?}", start.elapsed());
}

#[test]
fn the_queue_and_its_time_are_told() {
    let mut ends = Ends::new(&json!({ "mbit": 1, "queueBytes": 1_000_000 }));
    for _ in 0..100 {
        ends.a.send_to(&[1; 1000], ends.to_b).expect("it is sent");
    }
    ends.a.send_to(&[0], ends.to_b).expect("it is sent");
    assert_eq!(ends.arrived().len(), 100);
    let stats = ends.emulator.call("stats", json!({}))["result"]["forth"].clone();
    assert_eq!(stats["packetsIn"], 101);
    assert_eq!(stats["packetsOut"], 101);
    assert_eq!(stats["bytesOut"], 100_001);
    // The one in the middle waits for fifty of 8 ms, less what passes while they are sent.
    let median = stats["waitedMs"][0].as_f64().expect("a number");
    assert!(median <= 401.0, "{stats}");
}

#[test]
fn settings_that_mean_nothing_are_refused() {
    for (settings, word) in
        [(json!({ "delay": 5 }), "delay"), (json!({ "loss": 1.5 }), "loss"), (json!({ "mtu": 100 }), "mtu")]
    {
        let output = Command::new(env!("CARGO_BIN_EXE_ossa-bench-emulator"))
            .args(["relay", &settings.to_string()])
            .output()
            .expect("it starts");
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && error.contains(word), "{error}");
    }
}
