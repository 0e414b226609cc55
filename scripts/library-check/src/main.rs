//! `library-check FILE [--glibc 2.17] [--max-bytes N]`: one line of JSON about a native library, and exit code 1 with the reasons
//! on standard error when it must not be published.
//!
//! A library that asks for a newer C library than the users' system has, or that exports the functions of the C code inside it,
//! works on the machine that built it and fails elsewhere: at `require`, or, when another addon carries the same functions, long after.
mod elf;
mod library;
mod mach;
mod pe;

use std::process::ExitCode;

use library::{Library, Limits};

fn main() -> ExitCode {
    match run(std::env::args().skip(1).collect()) {
        Ok(complaints) if complaints.is_empty() => ExitCode::SUCCESS,
        Ok(complaints) => {
            for complaint in complaints {
                eprintln!("library-check: {complaint}");
            }
            ExitCode::FAILURE
        }
        Err(reason) => {
            eprintln!("library-check: {reason}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: Vec<String>) -> Result<Vec<String>, String> {
    let mut limits = Limits::default();
    let mut file = None;
    let mut rest = arguments.into_iter();
    while let Some(argument) = rest.next() {
        let mut value = || rest.next().ok_or(format!("{argument} needs a value"));
        match argument.as_str() {
            "--glibc" => {
                let version = library::version(&value()?);
                limits.glibc = Some(version.ok_or("--glibc takes a version such as 2.17")?);
            }
            "--max-bytes" => {
                limits.bytes =
                    Some(value()?.parse().map_err(|_| "--max-bytes takes a number of bytes".to_owned())?);
            }
            _ => file = Some(argument),
        }
    }
    let file = file.ok_or("usage: library-check FILE [--glibc VERSION] [--max-bytes N]")?;
    let bytes = std::fs::read(&file).map_err(|error| format!("{file}: {error}"))?;
    let library = Library::read(&bytes).map_err(|error| format!("{file}: {error}"))?;
    println!("{}", serde_json::to_string(&library).map_err(|error| error.to_string())?);
    Ok(library.complaints(&limits).into_iter().map(|complaint| format!("{file}: {complaint}")).collect())
}
