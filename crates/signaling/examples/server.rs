//! The signaling server as a Rust program of its own.
//!
//! ```sh
//! cargo run --release -p ossa-signaling --example server -- 127.0.0.1:9000
//! ```
//!
//! With `relay` as a second argument clients may send as much as they like: for measurements.

use ossa_signaling::{Rate, Server, ServerConfig};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let listen = arguments.next().unwrap_or_else(|| "127.0.0.1:0".into()).parse()?;
    let mut config = ServerConfig { listen, ..ServerConfig::default() };
    if arguments.next().as_deref() == Some("relay") {
        config.message_rate = Rate { per_second: 1e9, burst: 1e9 };
        config.offers_per_pair = u32::MAX;
        config.candidates_per_session = u32::MAX;
    }
    let server = Server::bind(config).await?;
    println!("{}", server.url());
    tokio::signal::ctrl_c().await?;
    server.close().await;
    Ok(())
}
