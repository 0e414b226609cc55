//! Measures peers over loopback, without Node: two of them by sockets of their own, at a shared port or over TCP, and many at one port.
//!
//! ```sh
//! cargo run --release -p ossa-net --example bench -- pair [own | shared | tcp] [seconds]
//! cargo run --release -p ossa-net --example bench -- many [own | shared] [connections] [seconds]
//! ```

mod many;
mod pair;
mod side;
mod usage;

use std::time::Duration;

/// How the two ends of a connection get at each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sockets {
    Own,
    /// One end is at a shared port.
    Shared,
    Tcp,
}

impl Sockets {
    fn named(name: Option<&str>) -> Self {
        match name {
            None | Some("own") => Self::Own,
            Some("shared") => Self::Shared,
            Some("tcp") => Self::Tcp,
            Some(other) => panic!("'{other}' is none of own, shared and tcp"),
        }
    }
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let text = |i: usize| args.get(i).map(String::as_str);
    let number = |i: usize, default: f64| {
        text(i).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("'{text}' is no number")))
    };
    let sockets = Sockets::named(text(1));
    match text(0) {
        Some("pair") => pair::run(sockets, Duration::from_secs_f64(number(2, 3.0))),
        Some("many") => {
            many::run(sockets, number(2, 2_000.0) as usize, Duration::from_secs_f64(number(3, 3.0)));
        }
        other => panic!("{other:?} is neither pair nor many"),
    }
}
