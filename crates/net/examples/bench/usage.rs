//! What this process takes of the machine, as Linux tells it. Elsewhere everything is zero.

use std::collections::HashMap;
use std::fs;

/// Hundredths of a second: the unit of `/proc`.
const TICKS: f64 = 100.0;

fn ticks(stat: &str) -> f64 {
    let fields = stat.rsplit(')').next().unwrap_or("").split(' ').skip(12).take(2);
    fields.flat_map(str::parse::<f64>).sum()
}

/// Processor time so far.
pub(crate) fn cpu_seconds() -> f64 {
    ticks(&fs::read_to_string("/proc/self/stat").unwrap_or_default()) / TICKS
}

/// Processor time of each thread so far.
pub(crate) fn of_threads() -> HashMap<String, f64> {
    let tasks = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    tasks
        .map(|task| {
            let stat = fs::read_to_string(task.path().join("stat")).unwrap_or_default();
            (task.file_name().to_string_lossy().into_owned(), ticks(&stat) / TICKS)
        })
        .collect()
}

/// The processor time of the thread that has taken the most since then.
pub(crate) fn busiest_since(before: &HashMap<String, f64>) -> f64 {
    let used = of_threads().into_iter().map(|(id, now)| now - before.get(&id).unwrap_or(&0.0));
    used.fold(0.0, f64::max)
}

pub(crate) fn resident_kilobytes() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).unwrap_or("0");
    line.trim().trim_end_matches(" kB").parse().unwrap_or(0.0)
}

pub(crate) fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").map_or(0, Iterator::count)
}
