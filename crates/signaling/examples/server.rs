//! The signaling server as a Rust program of its own.
//!
//! ```sh
//! cargo run --release -p ossa-signaling --example server -- 127.0.0.1:9000
//! ```

use ossa_signaling::{Server, ServerConfig};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listen = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:0".into()).parse()?;
    let server = Server::bind(ServerConfig { listen, ..ServerConfig::default() }).await?;
    println!("{}", server.url());
    tokio::signal::ctrl_c().await?;
    server.close().await;
    Ok(())
}
