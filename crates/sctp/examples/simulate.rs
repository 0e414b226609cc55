//! Prints the tables of `docs/congestion-control.md`: `cargo run --release -p ossa-sctp --example simulate [TITLE ...]`.
//! `node scripts/simulate.mjs` puts them there. The same code prints the same.

#[path = "../tests/simulation/mod.rs"]
mod simulation;
#[path = "../tests/support/mod.rs"]
mod support;

use simulation::tables::tables;

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).map(|title| title.to_lowercase()).collect();
    for table in tables() {
        let title = table.title.to_lowercase();
        if !wanted.is_empty() && !wanted.iter().any(|part| title.contains(part)) {
            continue;
        }
        println!("### {}\n\n{}\n\n{}", table.title, table.text, table.head());
        for row in &table.rows {
            println!("{}", table.line(row));
        }
        println!();
    }
}
