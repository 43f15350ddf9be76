//! Facts about the machine that ran the benchmarks.

use std::fs;
use std::process::Command;

/// A list of facts in Markdown.
pub(crate) fn facts(repetitions: usize) -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let kernel = read("/proc/sys/kernel/osrelease");
    let facts = [
        ("CPU", format!("{}, {cores} cores for this run", cpu_model())),
        ("memory", memory()),
        ("kernel", format!("Linux {kernel}, {}", std::env::consts::ARCH)),
        ("load when it began", load()),
        ("compiler", said_by("rustc", &["--version"])),
        ("date", said_by("date", &["-u", "+%Y-%m-%d %H:%M UTC"])),
        ("runs of each side", repetitions.to_string()),
    ];
    let line = |(name, fact): (&str, String)| format!("| {name} | {fact} |\n");
    format!("| machine | |\n|---|---|\n{}", facts.map(line).concat())
}

/// How busy the machine was: a second core that others use makes two processes share the first, and
/// then a wake-up across cores, which dominates round trips, does not happen.
fn load() -> String {
    let text = read("/proc/loadavg");
    let one_minute = text.split_ascii_whitespace().next().unwrap_or("unknown");
    format!("{one_minute} runnable on average in the minute before")
}

fn cpu_model() -> String {
    let text = read("/proc/cpuinfo");
    let model = text.lines().find(|line| line.starts_with("model name"));
    let model = model.and_then(|line| line.split_once(": "));
    model.map_or_else(|| "unknown".to_owned(), |(_, model)| model.trim().to_owned())
}

fn memory() -> String {
    let text = read("/proc/meminfo");
    let kib = text.split_ascii_whitespace().nth(1).and_then(|kib| kib.parse::<f64>().ok());
    kib.map_or_else(|| "unknown".to_owned(), |kib| format!("{:.0} GiB", kib / 1024.0 / 1024.0))
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default().trim().to_owned()
}

fn said_by(program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    text.unwrap_or_else(|_| "unknown".to_owned())
}
